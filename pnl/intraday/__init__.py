"""The intraday series: points recorded minute by minute, and read."""
