"""Segments: sets of customers or contacts that are kept as a rule."""
