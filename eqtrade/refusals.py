"""What is answered where no view answers: below `/api/` in the API's own form, elsewhere as a page
(of the templates 400.html, 403.html, 404.html and 500.html, where there are any)."""

from django.http import HttpRequest, HttpResponse
from django.views import defaults

from kernel.api.errors import error_answer
from kernel.errors import DomainError, NotThere


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """As of a host that is not served here."""
    if _is_of_api(request):
        return error_answer(DomainError())
    return defaults.bad_request(request, exception)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    if _is_of_api(request):
        return error_answer(NotThere("There is no such address."))
    return defaults.page_not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    if _is_of_api(request):
        return error_answer(Exception())
    return defaults.server_error(request)


def _is_of_api(request: HttpRequest) -> bool:
    return f"{request.path}/".startswith("/api/")
