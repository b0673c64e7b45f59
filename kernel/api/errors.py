"""Domain errors and outages as HTTP, in the one shape of drf-standardized-errors."""

from typing import Any

from django.core.exceptions import (
    RequestDataTooBig,
    SuspiciousMultipartForm,
    TooManyFieldsSent,
    TooManyFilesSent,
)
from django.db import Error as DatabaseError
from django.http import HttpResponse, JsonResponse
from drf_standardized_errors.formatter import ExceptionFormatter as BaseFormatter
from drf_standardized_errors.handler import ExceptionHandler as BaseHandler
from drf_standardized_errors.types import Error, ErrorResponse
from rest_framework import exceptions
from rest_framework.response import Response

from kernel.api.exceptions import (
    RETRY_AFTER_SECONDS,
    OutOfService,
    PayloadTooLarge,
)
from kernel.api.renderers import OrjsonRenderer
from kernel.database import is_outage
from kernel.errors import ConfirmationRequired, DomainError, Invalid, TooMany

EPOCH_MISMATCH = "eqtrade: another cluster"


class ExceptionHandler(BaseHandler):
    def get_response(self, exc: exceptions.APIException, data: dict[str, Any]) -> Response:
        """JSON, also of the few calls that answer in another form."""
        request: Any = self.context["request"]
        request.accepted_renderer = OrjsonRenderer()
        request.accepted_media_type = OrjsonRenderer.media_type
        return super().get_response(exc, data)

    def convert_known_exceptions(self, exc: Exception) -> Exception:
        if isinstance(exc, Invalid):
            return exceptions.ValidationError({"non_field_errors": [exc.detail]}, code=exc.code)
        if isinstance(exc, DomainError):
            refusal = exceptions.APIException(exc.detail, code=exc.code)
            refusal.status_code = exc.status
            if exc.status == 503:
                refusal.wait = RETRY_AFTER_SECONDS  # type: ignore[attr-defined]
            if isinstance(exc, TooMany):
                refusal.wait = exc.retry_after  # type: ignore[attr-defined]
            return refusal
        if isinstance(exc, RequestDataTooBig):
            return PayloadTooLarge()
        if isinstance(exc, TooManyFieldsSent | TooManyFilesSent | SuspiciousMultipartForm):
            return exceptions.ParseError("The form has too many parts, or parts that are none.")
        # Only what the database said: a caller's own words stand in other errors.
        if isinstance(exc, DatabaseError) and EPOCH_MISMATCH in str(exc):
            return OutOfService(
                "This database was restored into another cluster: run `manage.py restored`."
            )
        if is_outage(exc):
            return OutOfService()
        return super().convert_known_exceptions(exc)


class ExceptionFormatter(BaseFormatter):
    def get_errors(self) -> list[Error]:
        if isinstance(self.original_exc, Invalid | ConfirmationRequired):
            return [Error(e.code, e.detail, e.attr) for e in self.original_exc.errors]
        return super().get_errors()

    def format_error_response(self, error_response: ErrorResponse) -> Any:
        answer = super().format_error_response(error_response)
        if isinstance(self.original_exc, ConfirmationRequired):
            answer["type"], answer["confirm"] = self.original_exc.code, self.original_exc.token
        return answer


def error_answer(error: Exception) -> HttpResponse:
    """The API's answer to an error that is met outside of its views, as by a middleware."""
    context: Any = {"view": None, "args": (), "kwargs": {}, "request": None}
    handler = ExceptionHandler(error, context)
    refusal = handler.convert_unhandled_exceptions(handler.convert_known_exceptions(error))
    data = handler.format_exception(refusal)
    return JsonResponse(data, status=refusal.status_code, headers=handler.get_headers(refusal))
