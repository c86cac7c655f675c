"""What the paper claims about its losses, measured."""
