"""Consent and reach: who may be written to, for what, how, when and how often; the gate of every message."""
