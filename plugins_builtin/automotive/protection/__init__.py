"""Whose customer somebody is for now, and what happens when two say so."""
