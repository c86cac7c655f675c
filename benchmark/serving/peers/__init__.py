"""The same model and readers behind other serving frameworks."""
