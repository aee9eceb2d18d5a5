"""Service and wear by months and distance, whichever comes first (AUT-09, AUTOMOTIVE 10)."""
