"""Likely doubles among customers and contacts, merging two records into one, and taking that back."""
