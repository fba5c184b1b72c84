"""Training with PyTorch: the only place that imports it."""
