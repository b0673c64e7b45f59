"""Views of the page that people have saved under names, each for themselves, and may share."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction

from accounts.selectors import viewable_accounts
from blotter.models import SavedView
from kernel.api.serializers import is_storable
from kernel.errors import FieldError, Invalid, NotThere

MOST = 50
"""Of one person."""
LARGEST = 32 * 1024
"""Bytes of a state as JSON."""
DEEPEST = 12
MOST_ACCOUNTS = 500


@dataclass(frozen=True)
class Wanted:
    """What is to be saved; `accounts` None: all of the reader's own."""

    name: str
    state: Mapping[str, Any]
    accounts: Sequence[str] | None = None
    is_default: bool = False
    is_shared: bool = False


def views_of(user: AbstractBaseUser) -> list[SavedView]:
    """The user's own, by name."""
    return list(SavedView.objects.filter(user_id=user.pk).select_related("user"))


def view_by_link(user: AbstractBaseUser, view_id: UUID) -> SavedView:
    """One's own, or one that its owner shares. Raises NotThere."""
    view = SavedView.objects.filter(pk=view_id).select_related("user").first()
    if view is None or not (view.is_shared or view.user_id == user.pk):
        raise NotThere("There is no such view.")
    return view


def accounts_shown(user: AbstractBaseUser, view: SavedView) -> list[str] | None:
    """The view's accounts that this user may view: of the others they learn nothing."""
    if view.accounts is None:
        return None
    mine = {account.code for account in viewable_accounts(user, list(view.accounts))}
    return [code for code in view.accounts if code in mine]


@transaction.atomic
def view_save(*, user: AbstractBaseUser, wanted: Wanted, now: datetime) -> SavedView:
    """Save it, over the user's own of that name, whose link stays. Where it is the default no other
    is. Raises Invalid for a state that is too large or that no database can hold, for accounts that
    the user may not view, and beyond so many views."""
    state = _state_kept(wanted.state)
    _check_accounts(user, wanted.accounts)
    # One at a time for each user, so that the count and the default hold.
    get_user_model().objects.select_for_update(no_key=True).get(pk=user.pk)
    mine = SavedView.objects.filter(user_id=user.pk)
    if not mine.filter(name=wanted.name).exists() and mine.count() >= MOST:
        raise Invalid(FieldError("too_many", f"You have {MOST} saved views.", "name"))
    if wanted.is_default:
        mine.filter(is_default=True).exclude(name=wanted.name).update(is_default=False)
    view, _ = mine.select_related("user").update_or_create(
        user_id=user.pk,
        name=wanted.name,
        defaults={
            "state": state,
            "accounts": None if wanted.accounts is None else list(wanted.accounts),
            "is_default": wanted.is_default,
            "is_shared": wanted.is_shared,
            "saved_at": now,
        },
    )
    return view


def view_delete(*, user: AbstractBaseUser, name: str) -> None:
    if not SavedView.objects.filter(user_id=user.pk, name=name).delete()[0]:
        raise NotThere("You have no view of this name.")


def _check_accounts(user: AbstractBaseUser, accounts: Sequence[str] | None) -> None:
    if accounts is None:
        return
    mine = {account.code for account in viewable_accounts(user, list(accounts))}
    unknown = [code for code in accounts if code not in mine]
    if unknown:
        said = f"You have no such account: {', '.join(unknown[:20])}."
        raise Invalid(FieldError("does_not_exist", said, "accounts"))


def _state_kept(state: Mapping[str, Any]) -> dict[str, Any]:
    """The state as the database holds it."""
    try:
        kept: dict[str, Any] = _kept(state)
    except ValueError as error:
        raise Invalid(FieldError("invalid", "This cannot be kept.", "state")) from error
    if len(json.dumps(kept, ensure_ascii=False).encode()) > LARGEST:
        said = f"A view has at most {LARGEST:,} bytes."
        raise Invalid(FieldError("too_large", said, "state"))
    return kept


def _kept(value: Any, depth: int = 0) -> Any:
    """Raises ValueError for what no database can hold, and for what is too deep to be a view."""
    if depth > DEEPEST:
        raise ValueError("too deep")
    if isinstance(value, str) and not is_storable(value):
        raise ValueError("no text")
    if isinstance(value, Decimal):
        # Widths in pixels: JSON is read as decimals for the sake of money, and none stands here.
        value = float(value)
        if not math.isfinite(value):
            raise ValueError("no number")
    if isinstance(value, Mapping):
        return {_kept(name): _kept(each, depth + 1) for name, each in value.items()}
    if isinstance(value, list):
        return [_kept(each, depth + 1) for each in value]
    return value
