"""Stripe: one gateway to its API, an inbox for its webhooks, and the way from there into the mirror."""
