"""Synthetic training data: symbols, the scene they stand in, what a camera does to it."""
