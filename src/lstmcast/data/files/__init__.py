"""Bytes and frames of other libraries → cells and sheets."""
