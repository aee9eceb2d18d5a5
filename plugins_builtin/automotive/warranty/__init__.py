"""What covers vehicles, and when it ends: by the calendar or by distance, whichever comes first (AUT-08)."""
