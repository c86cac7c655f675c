"""Synthetic training data: symbols, the scenes around them, and the effects of a camera."""
