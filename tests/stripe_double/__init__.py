"""A double of Stripe for tests: one process on a loopback port, state in memory.

It is written from Stripe's public documentation and from the types of the ``stripe`` SDK alone. **It has not yet been
compared with Stripe itself**: each behaviour names the page it was written from, and the same scenarios can be run
with a test key (``docs/billing-double.md``). What it does not know, it refuses with 400; it never guesses.
"""
