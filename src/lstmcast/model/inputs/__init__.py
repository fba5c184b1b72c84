"""What a network sees of a series, and the way back to its units."""
