"""Settings that would be dangerous or are missing."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.db import connections


@register()
def secret_key_is_set(**_: Any) -> list[CheckMessage]:
    if settings.SECRET_KEY:
        return []
    return [Error("SECRET_KEY is not set.", id="eqtrade.E001")]


@register()
def recovery_mode_is_known(**_: Any) -> list[CheckMessage]:
    if settings.RECOVERY_MODE in ("recover", "rebuild"):
        return []
    said = f"RECOVERY_MODE is {settings.RECOVERY_MODE!r}; it must be recover or rebuild."
    return [Error(said, id="eqtrade.E003")]


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
