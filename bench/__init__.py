"""Measures the requests that people wait for, against bare floors, in one run on one machine."""
