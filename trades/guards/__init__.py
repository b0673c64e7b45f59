"""Guards: a mistake asks before it is booked."""
