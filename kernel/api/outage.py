"""Callers get 503 and a time to try again while the database is away, in the API's form.

Whoever only reads does not hear of a connection that was lost: it is answered again. Who is logged
in is read again for all. What writes says for itself what may be done twice.
"""

from collections.abc import Callable

from django.contrib.auth import middleware as auth
from django.http import HttpRequest, HttpResponse
from django.utils.functional import SimpleLazyObject

from kernel.api.errors import error_answer
from kernel.api.exceptions import RETRY_AFTER_SECONDS, OutOfService
from kernel.database import is_outage
from kernel.postgres.base import default_database
from kernel.repeating import REPEATS, repeated

ONLY_READ = ("GET", "HEAD")


class DatabaseOutageMiddleware:
    """Covers what REST framework does not see: sessions, pages, the admin."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """REST framework makes an answer of a loss, so losses are counted here, not caught. What is
        answered as a stream is repeated up to its first row."""
        database = default_database()
        for _ in range(REPEATS + 1):
            losses = database.losses
            response = self.get_response(request)
            lost = response.status_code >= 500 and database.losses > losses
            if not lost or request.method not in ONLY_READ or database.in_atomic_block:
                break
            database.close()
        return response

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        return out_of_service(request) if is_outage(error) else None


class AuthenticationMiddleware(auth.AuthenticationMiddleware):
    """Django's: session and user are read when somebody asks who it is."""

    def process_request(self, request: HttpRequest) -> None:
        super().process_request(request)
        request.user = SimpleLazyObject(  # type: ignore[assignment]
            lambda: repeated(lambda: auth.get_user(request))
        )


def out_of_service(request: HttpRequest) -> HttpResponse:
    """503, in the form of the API or as a line of text, and when to try again."""
    if request.path.startswith("/api/"):
        return error_answer(OutOfService())
    detail = str(OutOfService.default_detail)
    again = {"Retry-After": str(RETRY_AFTER_SECONDS)}
    return HttpResponse(detail, status=503, content_type="text/plain", headers=again)
