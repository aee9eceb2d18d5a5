"""A dealer's numbers of the day, each the way to its rows."""
