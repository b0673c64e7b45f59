"""Positions at a session's end, as known then: taken once, read, compared and verified."""
