"""The network and inference with it, in NumPy."""
