"""The console of whoever runs the installation: firms, one firm, health."""
