"""What billing adds to the console of whoever runs the installation."""
