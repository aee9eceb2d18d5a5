"""The pipeline: stages, deals, products."""
