"""Prices that are held back: found, and decided by a person."""
