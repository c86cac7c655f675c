"""The service, its command line and its client."""

VERSION = "0.1.0"
"""Of this project: the images hold no package metadata that could be asked."""
