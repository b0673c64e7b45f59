"""Exceptions of a session: what middle office looks at, and says that it has looked at."""
