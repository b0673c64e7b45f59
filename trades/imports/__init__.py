"""Files of trades: read, accepted, booked piece by piece, tried without booking, and undone."""
