"""Households and groups, and how customers and contacts are related (CUS-18, CUS-19)."""
