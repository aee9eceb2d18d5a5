"""What a dealer begins with: the way of a sale and roles."""
