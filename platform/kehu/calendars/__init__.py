"""When a firm is open: weekly hours, holidays and special days, per place."""
