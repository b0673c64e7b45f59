"""What a caller sees while the database is away: 503 and when to try again, in the API's form."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, JsonResponse

from kernel.api.exceptions import RETRY_AFTER_SECONDS, OutOfService
from kernel.database import is_outage


class DatabaseOutageMiddleware:
    """Covers what REST framework does not see: sessions, pages, the admin."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        return _answer(request) if is_outage(error) else None


def _answer(request: HttpRequest) -> HttpResponse:
    detail = str(OutOfService.default_detail)
    response: HttpResponse
    if request.path.startswith("/api/"):
        error = {"code": OutOfService.default_code, "detail": detail, "attr": None}
        response = JsonResponse({"type": "server_error", "errors": [error]}, status=503)
    else:
        response = HttpResponse(detail, status=503, content_type="text/plain")
    response["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return response
