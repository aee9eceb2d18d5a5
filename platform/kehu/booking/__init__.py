"""What can be booked, its bookings, and the board of a day; no two bookings hold a thing at the same time."""
