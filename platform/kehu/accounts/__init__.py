"""Accounts: a person's global identity, credentials and sign-in sessions."""
