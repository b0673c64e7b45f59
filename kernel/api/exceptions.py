"""HTTP's own refusals that REST framework has no class for. Imports as little as a parser may."""

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
