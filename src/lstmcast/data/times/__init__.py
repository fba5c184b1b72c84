"""Dates and times as people write them, steps of grids and calendars."""
