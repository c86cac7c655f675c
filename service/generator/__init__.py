"""The x4 image of a picture: a released generator, run on ONNX Runtime."""
