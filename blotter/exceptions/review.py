"""A person says that they have looked at exceptions, and what they found."""

from collections.abc import Sequence
from datetime import date, datetime

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction

from blotter.exceptions.kinds import KINDS
from blotter.exceptions.read import Reviewed, exceptions_of
from blotter.models import ExceptionReview
from kernel.errors import FieldError, Invalid

MOST_AT_ONCE = 1_000


@transaction.atomic
def exceptions_review(
    *, user: AbstractBaseUser, session: date, ids: Sequence[str], comment: str, now: datetime
) -> list[Reviewed]:
    """Record that the user has reviewed these exceptions of a session, all or none; as they are
    after it, in the order of the list. A second review stands beside the first, and counts. Raises
    Invalid (attr `ids`) for what is no exception that the user may see."""
    wanted = set(ids)
    kinds = {each.split(":", 1)[0] for each in wanted} & set(KINDS)
    found = exceptions_of(user, session=session, now=now, kinds=kinds)
    there = [each.found for each in found if each.found.id in wanted]
    unknown = sorted(wanted - {each.id for each in there})
    if unknown:
        said = f"There is no such exception: {', '.join(unknown[:20])}."
        raise Invalid(FieldError("unknown", said, "ids"))
    made = ExceptionReview.objects.bulk_create(
        ExceptionReview(kind=each.kind, key=each.key, reviewed_by_id=user.pk, comment=comment)
        for each in there
    )
    kept = ExceptionReview.objects.select_related("reviewed_by").in_bulk([r.pk for r in made])
    return [Reviewed(each, kept[r.pk]) for each, r in zip(there, made, strict=True)]
