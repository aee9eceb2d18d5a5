"""The time machine: what was done in a span of time, looked at and taken back together."""
