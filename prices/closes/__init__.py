"""Official closes: which one is effective, when they are fetched, how they are written."""
