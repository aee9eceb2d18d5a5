"""All that a firm has here as one documented file, and back from it into an empty installation (SAS-18)."""
