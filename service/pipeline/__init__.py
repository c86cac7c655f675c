"""The way of one upload, from its bytes to its answer, with or without a server."""
