"""Floor 4: plans, entitlements and seats; this release knows the mode off."""
