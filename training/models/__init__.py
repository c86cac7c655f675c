"""Networks. Every generator takes `lr` and returns a picture and logits four times as wide and high."""
