"""Floor 3: sign-up, the registry of tenants, their settings and life."""
