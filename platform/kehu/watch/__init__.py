"""Watching an installation: health, readiness, metrics and one log line for each request."""
