"""Tickets: questions and complaints of customers, in queues, with a conversation."""
