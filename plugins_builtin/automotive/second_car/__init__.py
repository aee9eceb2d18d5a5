"""Which households are likely to want a second car, and why."""
