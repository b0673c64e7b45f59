"""PUBLIC_URL says once where the system is reached; several settings follow from it. A setting that
is named in the environment itself beats what would follow."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
YEAR_SECONDS = 365 * 24 * 3600


@dataclass(frozen=True)
class Deployment:
    """`hosts` and `origins` are Django's ALLOWED_HOSTS and CSRF_TRUSTED_ORIGINS."""

    public_url: str
    hosts: list[str]
    origins: list[str]
    secure_cookies: bool
    redirects_to_https: bool
    hsts_seconds: int

    @property
    def is_local(self) -> bool:
        """Whether only this machine can reach it by the names that it answers to."""
        return all(host in LOOPBACK for host in self.hosts)


def deployment(environment: Mapping[str, str]) -> Deployment:
    """Read the environment; an empty value counts as not set. Raises ValueError for a PUBLIC_URL
    that is none and for a number or a yes that is none."""

    public_url = environment.get("PUBLIC_URL", "").rstrip("/")
    parts = urlsplit(public_url)
    if public_url and (parts.scheme not in ("http", "https") or not parts.netloc or parts.path):
        raise ValueError(f"PUBLIC_URL must be like https://eqtrade.example.com, not {public_url!r}")
    is_https = parts.scheme == "https"
    own_host = [parts.netloc.rpartition("@")[2].partition(":")[0]] if public_url else []
    if public_url and parts.netloc.startswith("["):
        own_host = [f"[{parts.hostname}]"]
    hosts = _list(environment.get("ALLOWED_HOSTS", "")) or own_host
    return Deployment(
        public_url=public_url,
        # Health checks inside the machine always come in by its own name.
        hosts=[*hosts, *(host for host in LOOPBACK if host not in hosts)],
        origins=_list(environment.get("CSRF_TRUSTED_ORIGINS", ""))
        or ([public_url] if public_url else []),
        secure_cookies=_yes(environment, "COOKIES_SECURE", default=is_https),
        redirects_to_https=_yes(environment, "SSL_REDIRECT", default=is_https),
        hsts_seconds=int(environment.get("HSTS_SECONDS") or (YEAR_SECONDS if is_https else 0)),
    )


def _list(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _yes(environment: Mapping[str, str], name: str, *, default: bool) -> bool:
    text = environment.get(name, "").strip().lower()
    if not text:
        return default
    if text in ("1", "true", "yes", "on"):
        return True
    if text in ("0", "false", "no", "off"):
        return False
    raise ValueError(f"{name} must be yes or no, not {text!r}")
