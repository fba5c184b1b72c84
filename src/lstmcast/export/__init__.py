"""Export models as ONNX graphs, and as a page for browsers."""
