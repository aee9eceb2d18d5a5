"""Rules that a firm sets for its records: codes, what must hold, what is shown to whom."""
