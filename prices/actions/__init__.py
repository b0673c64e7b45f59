"""Corporate actions: their terms, recorded by people, read by whoever counts, and suggested."""
