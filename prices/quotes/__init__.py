"""Quotes: refreshed, streamed, loaded and kept as points for charts."""
