"""What is fitted to a car that is sold: accessories, interior, parts, as lines of a deal (AUT-11)."""
