"""Saved views of lists, and drafts of long texts."""
