"""Imports and exports of records as files."""
