"""The service, and runs over many files, on a Ray cluster. The only code that knows Ray."""
