"""A firm's address: its name under the base domain, the names that it had, and a domain of its own."""
