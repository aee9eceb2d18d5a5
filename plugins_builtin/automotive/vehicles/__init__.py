"""The vehicles of customers."""
