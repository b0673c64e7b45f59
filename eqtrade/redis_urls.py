"""REDIS_URL as each library wants it. With `rediss://` the server's certificate is always checked.

redis-py and the channel layer read a URL's own parameters (`ssl_ca_certs=/path`, `ssl_certfile`,
`ssl_keyfile`) and check by themselves. Kombu does not check unless told to; Flower reads Celery's
setting and no URL.
"""

from ssl import CERT_NONE, CERT_OPTIONAL, CERT_REQUIRED
from typing import Any
from urllib.parse import parse_qsl, urlsplit

_REQUIREMENTS = {"required": CERT_REQUIRED, "optional": CERT_OPTIONAL, "none": CERT_NONE}


def broker_url(redis_url: str) -> str:
    """Kombu's spelling of a Redis URL: unix sockets have a scheme of their own there."""
    if not redis_url.startswith("unix://"):
        return redis_url
    path, _, query = redis_url.removeprefix("unix://").partition("?")
    database = dict(p.split("=", 1) for p in query.split("&") if "=" in p).get("db", "0")
    return f"redis+socket://{path}?virtual_host={database}"


def broker_tls(url: str) -> dict[str, Any] | None:
    """Celery's `broker_use_ssl` for a broker's URL; None without TLS, and for other brokers.

    Raises ValueError for a requirement that redis-py would not know.
    """
    parts = urlsplit(url)
    if parts.scheme != "rediss":
        return None
    said = {name: value for name, value in parse_qsl(parts.query) if name.startswith("ssl_")}
    wanted = said.pop("ssl_cert_reqs", "required")
    if wanted not in _REQUIREMENTS:
        raise ValueError(f"ssl_cert_reqs must be required, optional or none, not {wanted!r}")
    tls: dict[str, Any] = {**said, "ssl_cert_reqs": _REQUIREMENTS[wanted]}
    if "ssl_check_hostname" in said:
        tls["ssl_check_hostname"] = said["ssl_check_hostname"].lower() != "false"
    return tls
