"""Faults of work that several processes share."""
SHARED = {}
