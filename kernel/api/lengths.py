"""Length before content: a body that is longer than its call can need is refused unread."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from kernel.api.errors import error_answer
from kernel.api.exceptions import PayloadTooLarge


class BodyLengthMiddleware:
    """The limits are in `BODY_LIMITS`, by path; "" is for all others."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        length = request.META.get("CONTENT_LENGTH")
        if not length:
            return self.get_response(request)
        limits: dict[str, int] = settings.BODY_LIMITS
        limit = limits.get(request.path, limits[""])
        # What is no number is no length to Django either, which then reads nothing.
        if not length.isdecimal() or int(length[:20]) <= limit:
            return self.get_response(request)
        return _answer(request, f"The body is larger than {limit} bytes.")


def _answer(request: HttpRequest, detail: str) -> HttpResponse:
    if request.path.startswith("/api/"):
        return error_answer(PayloadTooLarge(detail))
    return HttpResponse(detail, status=PayloadTooLarge.status_code, content_type="text/plain")
