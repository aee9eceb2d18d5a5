"""The REST API under /api/v1: plumbing and tokens."""
