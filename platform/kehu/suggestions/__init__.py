"""Suggestions: next steps for a customer or deal, each with its reason and one click that does it."""
