"""Convert models from and to Keras and PyTorch."""
