"""Tags said of trades, and taken back."""

import re
from collections.abc import Collection
from uuid import UUID

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction

from accounts.selectors import account_rights
from kernel import notices
from kernel.errors import FieldError, Invalid, NotEntitled, NotThere
from trades.models import LONGEST_TAG, Trade, TradeTag
from trades.selectors import tags_of, trades_visible

MOST_TAGS = 20
_PLAIN = re.compile(rf"[A-Za-z0-9][A-Za-z0-9_.:-]{{0,{LONGEST_TAG - 1}}}")


def trade_tag(
    *,
    user: AbstractBaseUser,
    trade_id: UUID,
    add: Collection[str] = (),
    remove: Collection[str] = (),
) -> Trade:
    """Add and remove tags in one go; what is there already, or is not there, changes nothing, nor
    does a second call. Who may book or correct in the trade's account may. The trade's lock keeps
    two calls apart. Raises NotThere, NotEntitled or Invalid."""
    rights = {r.account.pk: r for r in account_rights(user)}
    seen = trades_visible(rights).filter(pk=trade_id).first()
    if seen is None:
        raise NotThere("There is no such trade.")
    right = rights[seen.account_id]
    if not (right.can_book or right.can_correct):
        raise NotEntitled(f"You may not tag trades in {right.account.code}.")
    _refuse_wrong(add, remove)
    with transaction.atomic():
        trade = Trade.objects.select_for_update().get(pk=trade_id)
        there = set(tags_of(trade_id))
        events = {tag: True for tag in add if tag not in there}
        events |= {tag: False for tag in remove if tag in there}
        left = (there | set(add)) - set(remove)
        if len(left) > MOST_TAGS:
            raise Invalid(FieldError("too_many", f"A trade has at most {MOST_TAGS} tags.", "add"))
        TradeTag.objects.bulk_create(
            TradeTag(trade=trade, tag=tag, is_added=is_added, actor_id=user.pk)
            for tag, is_added in events.items()
        )
        if events:
            told = notices.account_changed(trade.account_id, trades=[str(trade.pk)])
            transaction.on_commit(lambda: notices.publish([told]), robust=True)
    return seen


def _refuse_wrong(add: Collection[str], remove: Collection[str]) -> None:
    if not add and not remove:
        raise Invalid(FieldError("required", "Say a tag to add or to remove.", "add"))
    if both := sorted(set(add) & set(remove)):
        raise Invalid(FieldError("both", f"{both[0]} is added and removed.", "remove"))
    for tag in add:
        if not _PLAIN.fullmatch(tag):
            said = (
                "A tag begins with a letter or digit and holds only letters, digits, points,"
                f" hyphens, colons and underscores, at most {LONGEST_TAG}."
            )
            raise Invalid(FieldError("invalid", said, "add"))
