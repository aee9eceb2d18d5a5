"""Who came into the showroom, whom they talked to and what came of it."""
