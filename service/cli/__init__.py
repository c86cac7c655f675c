"""`python -m service`: a module for each command."""
