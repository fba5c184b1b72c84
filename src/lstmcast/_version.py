"""The version, for whoever writes it into a file or says it."""

__version__ = "0.1.0"
