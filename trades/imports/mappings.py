"""Ways to read a file that people have saved under a name, each for themselves."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.contrib.auth.models import AbstractBaseUser

from kernel.errors import FieldError, Invalid, NotThere
from trades.models import ImportMapping

MOST = 100
"""Of one person."""
SAID = ("profile", "mapping", "timezone", "date_order", "decimal", "account", "order")
"""What may be saved: fields of an import."""


def mappings_of(user: AbstractBaseUser) -> list[ImportMapping]:
    return list(ImportMapping.objects.filter(user_id=user.pk))


def mapping_save(
    *, user: AbstractBaseUser, name: str, said: Mapping[str, Any], now: datetime
) -> ImportMapping:
    """Save it, over one of that name. Raises Invalid beyond so many."""
    mine = ImportMapping.objects.filter(user_id=user.pk)
    if not mine.filter(name=name).exists() and mine.count() >= MOST:
        raise Invalid(FieldError("too_many", f"You have {MOST} saved mappings.", "name"))
    kept = {of: said[of] for of in SAID if said.get(of) is not None}
    saved, _ = ImportMapping.objects.update_or_create(
        user_id=user.pk, name=name, defaults={"said": kept, "saved_at": now}
    )
    return saved


def mapping_delete(*, user: AbstractBaseUser, name: str) -> None:
    # No other is ever saved, and the database could not be asked for one with a NUL.
    mine = ImportMapping.objects.filter(user_id=user.pk, name=name) if name.isprintable() else None
    if mine is None or not mine.delete()[0]:
        raise NotThere("You have no mapping of this name.")


def said_with(user: AbstractBaseUser, said: Mapping[str, Any]) -> dict[str, Any]:
    """What is said of a file, with what was saved under the name that `mapping` is, if it is one.
    What is said now comes before what was saved. Raises Invalid for a name that is none."""
    name = said.get("mapping")
    if not isinstance(name, str):
        return dict(said)
    saved = ImportMapping.objects.filter(user_id=user.pk, name=name).first()
    if saved is None:
        raise Invalid(FieldError("unknown_mapping", "You have no mapping of this name.", "mapping"))
    now = {of: value for of, value in said.items() if of != "mapping"}
    return {**saved.said, **now}
