"""Sheet → table: long, wide, a row per series."""
