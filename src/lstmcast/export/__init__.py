"""Models for elsewhere: as ONNX graphs, and as a page for browsers."""
