"""The settings part of the platform."""
