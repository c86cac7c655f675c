"""Networks. Every generator takes `lr` and returns logits four times as wide and high."""
