"""Settings that would be dangerous or are missing."""

from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error, Tags, register
from django.db import connections

from accounts.second_factor import Mode
from eqtrade.deployment import LOOPBACK


@register()
def secret_key_is_set(**_: Any) -> list[CheckMessage]:
    if settings.SECRET_KEY:
        return []
    return [Error("SECRET_KEY is not set.", id="eqtrade.E001")]


@register()
def what_traces_is_installed(**_: Any) -> list[CheckMessage]:
    if not settings.TRACES_TO or find_spec("opentelemetry") is not None:
        return []
    said = "OTEL_EXPORTER_OTLP_ENDPOINT is set, but the packages that trace are not installed."
    hint = "Install the group `traces` of pyproject.toml, as `make run` does, or unset it."
    return [Error(said, hint=hint, id="eqtrade.E018")]


@register()
def recovery_mode_is_known(**_: Any) -> list[CheckMessage]:
    if settings.RECOVERY_MODE in ("recover", "rebuild"):
        return []
    said = f"RECOVERY_MODE is {settings.RECOVERY_MODE!r}; it must be recover or rebuild."
    return [Error(said, id="eqtrade.E003")]


@register(Tags.security)
def hosts_are_named(**_: Any) -> list[CheckMessage]:
    if not any("*" in host for host in settings.ALLOWED_HOSTS):
        return []
    said = "ALLOWED_HOSTS has a wildcard: links and cookies would follow any Host header."
    return [Error(said, hint="Name the hosts, or set PUBLIC_URL.", id="eqtrade.E004")]


@register(Tags.security)
def nothing_of_a_laptop_is_served(**_: Any) -> list[CheckMessage]:
    """What is meant for one's own machine, where others can reach it."""
    if settings.DEPLOYMENT.is_local or settings.TESTING:
        return []
    found: list[CheckMessage] = []
    if settings.DEBUG:
        said = "DEBUG shows code and settings to whoever causes an error."
        found.append(Error(said, hint="Unset DEBUG.", id="eqtrade.E005"))
    if settings.LOCAL_STACK:
        said = "EQTRADE_LOCAL_STACK lets users with a known password be made."
        found.append(Error(said, hint="Unset EQTRADE_LOCAL_STACK.", id="eqtrade.E006"))
    return found


@register(Tags.security)
def cookies_and_origins_fit_the_address(**_: Any) -> list[CheckMessage]:
    found: list[CheckMessage] = []
    is_https = settings.DEPLOYMENT.public_url.startswith("https:")
    if is_https and not settings.SESSION_COOKIE_SECURE:
        said = "PUBLIC_URL is https, but cookies are sent without TLS, too."
        found.append(Error(said, hint="Unset COOKIES_SECURE.", id="eqtrade.E007"))
    for origin in settings.CSRF_TRUSTED_ORIGINS:
        parts = urlsplit(origin)
        host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
        if parts.scheme not in ("http", "https") or not host or "*" in host:
            said = f"The trusted origin {origin!r} must be like https://eqtrade.example.com."
            found.append(Error(said, id="eqtrade.E008"))
        elif parts.scheme == "http" and settings.SESSION_COOKIE_SECURE:
            said = (
                f"The trusted origin {origin} has no TLS, but cookies need it: nobody can log in."
            )
            found.append(Error(said, hint="Set PUBLIC_URL to https://…", id="eqtrade.E009"))
        elif not any(
            host == h or (h[0] == "." and host.endswith(h)) for h in settings.ALLOWED_HOSTS
        ):
            said = f"The trusted origin {origin} is of no allowed host."
            found.append(checks.Warning(said, hint="Add it to ALLOWED_HOSTS.", id="eqtrade.W002"))
    return found


@register(Tags.security, deploy=True)
def meant_for_others(**_: Any) -> list[CheckMessage]:
    found: list[CheckMessage] = []
    if settings.TESTING:
        said = "EQTRADE_TESTING is set: times of recording could be moved."
        found.append(Error(said, hint="Unset it.", id="eqtrade.E010"))
    if settings.DEPLOYMENT.is_local:
        said = "It answers to this machine's own names only."
        found.append(checks.Warning(said, hint="Set PUBLIC_URL.", id="eqtrade.W003"))
    if settings.PRICE_SOURCE == "simulated":
        said = "Prices are simulated: every P&L figure is made up."
        found.append(checks.Warning(said, hint="Set PRICE_SOURCE=yahoo.", id="eqtrade.W004"))
    return found


@register(Tags.database)
def recorded_at_is_the_clock(
    databases: Sequence[str] | None = None, **_: Any
) -> list[CheckMessage]:
    """The session setting that moves `recorded_at` is for tests only."""
    if settings.TESTING:
        return []
    found: list[CheckMessage] = []
    for alias in databases or []:
        with connections[alias].cursor() as cursor:
            cursor.execute("SELECT current_setting('eqtrade.recorded_at', true)")
            if cursor.fetchone()[0]:
                found.append(
                    Error(
                        "eqtrade.recorded_at is set for this role or database: times of recording"
                        " would be wrong. ALTER ROLE … RESET it.",
                        id="eqtrade.E002",
                    )
                )
    return found


@register(Tags.security)
def logins_are_set_up_whole(**_: Any) -> list[CheckMessage]:
    """The second factor and the login provider: what is half set lets nobody in, or the wrong."""
    found: list[CheckMessage] = []
    if settings.SECOND_FACTOR not in [mode.value for mode in Mode]:
        said = f"SECOND_FACTOR is {settings.SECOND_FACTOR!r}: nobody would be asked for a code."
        hint = f"Set it to one of {', '.join(Mode)}."
        found.append(Error(said, hint=hint, id="eqtrade.E011"))
    if not settings.OIDC_ISSUER:
        return found
    if not (settings.OIDC_CLIENT_ID and settings.OIDC_CLIENT_SECRET):
        said = "OIDC_ISSUER is set, but not both OIDC_CLIENT_ID and OIDC_CLIENT_SECRET."
        found.append(Error(said, id="eqtrade.E012"))
    parts = urlsplit(settings.OIDC_ISSUER)
    is_near = settings.DEPLOYMENT.is_local and parts.hostname in LOOPBACK
    if parts.scheme != "https" and not is_near:
        said = "OIDC_ISSUER must be https: whoever changes what it says logs in as anybody."
        found.append(Error(said, id="eqtrade.E013"))
    return found
