"""Owned items: things that customers have, with their warranties, contracts and policies."""
