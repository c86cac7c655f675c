"""The figures of docs/paper.md, each from a command of its own."""
