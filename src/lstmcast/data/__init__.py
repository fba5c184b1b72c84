"""Series and panels: reading, checking, calendars and synthetic series."""
