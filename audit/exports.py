"""Files that people take away."""

from django.http import HttpRequest

from audit.recording import record


def exported(what: str, kind: str, request: HttpRequest) -> None:
    """Record that a list was taken away as a file, and which part of it was asked for."""
    record("export", about=what, after={"format": kind, "query": request.GET.urlencode()[:2000]})
