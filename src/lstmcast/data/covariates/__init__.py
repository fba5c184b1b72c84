"""Covariates: finding their columns and placing their values on the grids of series."""
