"""When the certificate ends that callers of PUBLIC_URL see, wherever TLS ends.

Looked at with the heartbeats, by the worker that has a way out, and kept in Redis for whichever
process is asked for figures.
"""

import logging
import socket
import ssl
from datetime import datetime
from urllib.parse import urlsplit

import redis
from cryptography import x509
from django.conf import settings

from kernel.redis_client import redis_client

logger = logging.getLogger(__name__)

KEY = "eqtrade:certificate"
# Some rounds of the heartbeats: one that fails takes no figure away.
KEPT_SECONDS = 1800
TIMEOUT_SECONDS = 5.0


def certificate_look() -> datetime | None:
    """Look at it, and keep when it ends. None where PUBLIC_URL is not https or does not answer, or
    Redis does not. Never raises."""
    try:
        end = _end_of(settings.DEPLOYMENT.public_url)
        if end is not None:
            with _redis() as client:
                client.set(KEY, end.isoformat(), ex=KEPT_SECONDS)
    except (OSError, ValueError, redis.RedisError) as error:
        logger.warning("the certificate of PUBLIC_URL was not looked at: %r", error)
        return None
    return end


def certificate_end() -> datetime | None:
    """When it ends, as it was last seen; None where it was not. Raises RedisError."""
    with _redis() as client:
        text = client.get(KEY)
    return None if text is None else datetime.fromisoformat(text.decode())


def _end_of(url: str) -> datetime | None:
    parts = urlsplit(url)
    if parts.scheme != "https" or parts.hostname is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # Nothing is said to the server. One that has ended, or is of an authority that is not known
    # here, is to be read as well.
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    address = parts.hostname, parts.port or 443
    with (
        socket.create_connection(address, TIMEOUT_SECONDS) as connection,
        context.wrap_socket(connection, server_hostname=parts.hostname) as door,
    ):
        said = door.getpeercert(binary_form=True)
    # A server always has one.
    return x509.load_der_x509_certificate(said or b"").not_valid_after_utc


def _redis() -> "redis.Redis":
    return redis_client(TIMEOUT_SECONDS)
