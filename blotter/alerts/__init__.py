"""Alerts by user: set (keep), judged once for all (watch), told and seen (told)."""
