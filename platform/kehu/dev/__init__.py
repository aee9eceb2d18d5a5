"""What `make run` and `make test` need around the product; nothing in production imports it."""
