"""The figures of docs/paper.md: what the paper left empty, each from a command of its own."""
