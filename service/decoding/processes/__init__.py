"""Processes that do jobs one after another: started, watched, bounded, replaced."""
