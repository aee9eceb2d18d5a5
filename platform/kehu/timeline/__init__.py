"""The time line: one story of a customer from activities, tickets, deals, changes and files."""
