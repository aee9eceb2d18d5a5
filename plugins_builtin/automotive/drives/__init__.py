"""Test drives: demo cars and plates, gates before the keys, out and in, what it led to (AUT-05)."""
