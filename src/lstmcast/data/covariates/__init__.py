"""Columns beside the target: which they are, and their values on the grids of series."""
