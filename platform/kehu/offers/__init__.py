"""Offers that follow from dates: a warranty ends, a contract runs out, a part is due (SAL-38)."""
