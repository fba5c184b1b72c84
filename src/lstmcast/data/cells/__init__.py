"""Interpretation of the cells and columns of a sheet."""
