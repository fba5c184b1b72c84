"""Hierarchies: totals of series by their id columns, and forecasts of all of them that add up."""
