"""When a customer has had a car for so long that the next one is due (AUT-07)."""
