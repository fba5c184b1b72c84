"""Series and panels of series: reading, checking, calendars, synthetic series."""
