"""What a dealer begins with: the way of a sale, roles, sample cars and customers."""
