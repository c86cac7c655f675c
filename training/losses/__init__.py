"""Losses, each a function of logits or images and their targets."""
