"""Series that arrive tick by tick."""
