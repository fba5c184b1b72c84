"""Inputs that nobody would give on purpose: what they lead to, counted. See `fuzz/__main__.py`."""
