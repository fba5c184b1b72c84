"""Hierarchies: totals of series by their columns of ids, and forecasts of all of them that add
up."""
