"""What a dealer gives for a customer's old car, as data for a deal (AUT-07, AUTOMOTIVE 7)."""
