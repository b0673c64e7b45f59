"""What was done, by whom and from where: an append-only record of all but trades."""
