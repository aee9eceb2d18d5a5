"""Workflow: what a firm lets happen by itself to its records, tried on the past before it is switched on."""
