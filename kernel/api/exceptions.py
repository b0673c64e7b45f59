"""HTTP's own refusals that REST framework has no class for. Imports as little as a parser may."""

from django.db import InterfaceError, OperationalError
from rest_framework import exceptions

RETRY_AFTER_SECONDS = 2


class PayloadTooLarge(exceptions.APIException):
    status_code = 413
    default_code = "payload_too_large"
    default_detail = "The body is too large."


class OutOfService(exceptions.APIException):
    status_code = 503
    default_code = "unavailable"
    default_detail = "The database cannot be reached at the moment; try again."
    wait = RETRY_AFTER_SECONDS


def is_outage(error: BaseException) -> bool:
    """Whether the database is away, as opposed to refusing a statement."""
    return isinstance(error, OperationalError | InterfaceError)
