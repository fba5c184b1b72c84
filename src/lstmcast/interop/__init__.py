"""Weights from elsewhere, and for elsewhere: Keras and PyTorch."""
