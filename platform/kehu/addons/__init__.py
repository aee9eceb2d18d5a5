"""Plugin states, incidents, migrations and pages."""
