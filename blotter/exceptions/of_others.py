"""Exceptions beside the trades: prices by hand, figures, files and limits. One statement each."""

from collections.abc import Mapping

from django.db.models import Q, QuerySet
from django.db.models.functions import Coalesce

from accounts.models import Account
from accounts.selectors import AnyUser
from blotter.exceptions.kinds import (
    BREACH,
    HELD,
    MOST,
    OVERRIDE,
    PARTIAL,
    REJECTED,
    Asked,
    Found,
)
from pnl.daily.read import past_account_days
from pnl.live.totals import live_totals
from prices.models import Close, PriceOverride
from prices.sessions import sessions
from trades.guard_rules import grouped, shown
from trades.guards.breaches import limits_seen
from trades.limit_rules import used
from trades.models import Breach, HeldRow, Import, ImportState

_WORDS = {
    "no_previous_close": "there is no close of the session before",
    "no_mark": "there is no price",
    "settling": "quantity and P&L are catching up with each other",
    "price_doubtful": "a price is held back",
    "carried": "an earlier close was carried forward",
    "stale": "a price is old",
}


def overrides(asked: Asked) -> list[Found]:
    """Prices by hand that were set in the session, or counted in it."""
    ended = Coalesce("ended_at", "expires_at")
    found = PriceOverride.objects.annotate(until=ended).select_related("instrument", "user")
    found = found.filter(created_at__lt=asked.until).filter(
        Q(created_at__gte=asked.since) | Q(until__gt=asked.since)
    )
    return [
        Found(
            kind=OVERRIDE,
            key=str(each.pk),
            at=each.created_at,
            detail=f"{each.instrument.ticker} at {grouped(each.price)} by hand: {each.reason}",
            ticker=each.instrument.ticker,
            by=each.user.get_username(),
        )
        for each in found.order_by("-pk")[:MOST]
    ]


def closes_by_hand(asked: Asked) -> list[Found]:
    """Closes that a person entered in the session. What files brought says nobody's name."""
    found = Close.objects.filter(
        user__isnull=False, recorded_at__gte=asked.since, recorded_at__lt=asked.until
    ).select_related("instrument", "user")
    return [
        Found(
            kind=OVERRIDE,
            key=f"close-{each.pk}",
            at=each.recorded_at,
            detail=f"The close of {each.instrument.ticker} on {each.session} at"
            f" {grouped(each.close)} by hand: {each.reason}",
            ticker=each.instrument.ticker,
            by=each.user.get_username() if each.user else None,
        )
        for each in found.order_by("-pk")[:MOST]
    ]


def partial_figures(asked: Asked, codes: Mapping[int, str]) -> list[Found]:
    """Accounts of which some row has no valid P&L, by the first of the reasons."""
    rows: list[tuple[str, int, str | None]]
    if asked.is_today:
        totals = live_totals(accounts=asked.accounts, now=asked.now)
        rows = [(t.account, t.invalid_rows, t.pnl_reason) for t in totals]
    else:
        days = past_account_days(
            accounts=asked.accounts, days=[asked.session], now=asked.now, known=sessions()
        )
        rows = [(codes[d.account_id], d.invalid_rows, d.pnl_reason) for d in days]
    return [
        Found(
            kind=PARTIAL,
            key=f"{asked.session}:{account}:{reason}",
            at=min(asked.now, asked.until),
            detail=f"P&L of {account} is not valid in {count:,} {'row' if count == 1 else 'rows'}:"
            f" {_WORDS.get(reason or '', reason)}.",
            account=account,
        )
        for account, count, reason in sorted(rows)
        if count
    ]


def rejections(asked: Asked, user: AnyUser, codes: Mapping[int, str]) -> list[Found]:
    """Files of the session of which rows were rejected, or that failed as a whole."""
    found = _files(user, codes).filter(
        Q(rows_rejected__gt=0) | Q(state=ImportState.FAILED),
        dry_run=False,
        accepted_at__gte=asked.since,
        accepted_at__lt=asked.until,
    )
    return [
        _of_file(
            REJECTED,
            job,
            f"{job.rows_rejected:,} of {job.rows_total:,} rows were rejected"
            + (f"; the import failed: {job.error}" if job.state == ImportState.FAILED else "."),
        )
        for job in found.order_by("-id")[:MOST]
    ]


def held(asked: Asked, user: AnyUser, codes: Mapping[int, str]) -> list[Found]:
    """Files of which rows wait for somebody to book or drop them, whenever they came."""
    waiting = HeldRow.objects.filter(state=HeldRow.State.HELD).values("import_job")
    found = _files(user, codes).filter(pk__in=waiting, accepted_at__lt=asked.until)
    return [
        _of_file(HELD, job, f"{job.rows_held:,} rows wait to be booked or dropped.")
        for job in found.order_by("-id")[:MOST]
    ]


def breaches(asked: Asked, user: AnyUser) -> list[Found]:
    """Limits that were warned of or exceeded in the session."""
    found = Breach.objects.filter(limit__in=limits_seen(user), opened_at__lt=asked.until).filter(
        Q(closed_at=None) | Q(closed_at__gte=asked.since)
    )
    rows = found.select_related("limit__account", "limit__group").order_by("-pk")[:MOST]
    return [
        Found(
            kind=BREACH,
            # One that was warned of and is exceeded now is another matter.
            key=f"{each.pk}:{each.state}",
            at=each.opened_at,
            detail=f"{each.limit.kind} of {each.limit.account or each.limit.group}:"
            f" {shown(used(each.worst, each.amount))}% of {grouped(each.amount)},"
            f" {each.state}{'' if each.closed_at is None else ', over'}.",
            account=each.limit.account.code if each.limit.account else None,
        )
        for each in rows
    ]


def _files(user: AnyUser, codes: Mapping[int, str]) -> QuerySet[Import]:
    """The user's own files, and those that name no account beyond these."""
    others = Account.objects.exclude(pk__in=codes).values_list("code", flat=True)
    named = ~Q(accounts=[]) & ~Q(accounts__overlap=list(others))
    return Import.objects.select_related("user").filter(Q(user=user.pk) | named)


def _of_file(kind: str, job: Import, detail: str) -> Found:
    return Found(
        kind=kind,
        key=str(job.pk),
        at=job.accepted_at,
        detail=f"{job.file_name}: {detail}",
        account=job.accounts[0] if len(job.accounts) == 1 else None,
        by=job.user.get_username(),
        import_id=str(job.pk),
    )
