"""The dashboard part of the platform."""
