"""Floor 4: phases, plans, entitlements, seats, and who is paid how."""
