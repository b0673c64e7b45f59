"""Totals take a short way for most rows; they are the sums of the rows all the same."""

from collections import Counter
from datetime import date
from decimal import Decimal

from django.conf import settings
from django.db import transaction

from accounts.models import Account
from eqtrade.up.postgres import PostgresServer
from pnl.live.rows import live_rows
from pnl.live.totals import live_totals
from pnl.reasons import REASONS
from positions.projection import POSITIONS
from prices.models import CARRIED, CloseDoubt, Instrument
from tests import factories as make
from tests.pnl.conftest import MONDAY, TUESDAY, WEDNESDAY, Days, at, recorded
from trades.ledger.shard_batch import drain
from trades.models import Quarantine

NOW = at(WEDNESDAY)
STALE = at(WEDNESDAY, 14)


def test_totals_are_the_sums_of_the_rows(committed_db: PostgresServer) -> None:
    days = Days()
    # previous close, quote, when: every way in which a price is there or is not
    kinds = {
        "GOOD": ("50", "51", NOW), "OLD": ("50", "51", STALE), "NOQ": ("50", None, None),
        "NEW": (None, "51", NOW), "NONE": (None, None, None), "CARRY": ("50", "51", NOW),
        "DOUBT": ("50", "51", NOW), "WRITE": ("50", "51", NOW),
    }  # fmt: skip
    for number, (ticker, (close, quote, when)) in enumerate(kinds.items()):
        name = make.make_instrument(ticker)
        if close is not None:
            source = CARRIED if ticker == "CARRY" else "manual"
            make.make_close(name, TUESDAY, close, source=source)
        if quote is not None and when is not None:
            make.make_quote(name, quote, when)
        for code in ("A", "B", "C"):
            account = days.account if code == "A" else _account(code)
            days.trade(f"{number + 2}", "48.5", MONDAY, instrument=name, account=account)
            if code != "B":
                days.trade("-2.25", "52", WEDNESDAY, instrument=name, account=account)
            if code == "C":  # flat, with P&L
                days.trade(f"{0.25 - number}", "50", WEDNESDAY, instrument=name,
                           account=account)  # fmt: skip
        bought = _account("D")
        days.trade("3", "49", WEDNESDAY, instrument=name, account=bought)  # nothing at the open
    _hold_back("DOUBT", CloseDoubt.Kind.QUOTE, WEDNESDAY)
    _hold_back("WRITE", CloseDoubt.Kind.MOVED, TUESDAY)
    settling, held_up = _account("E"), _account("F")
    for account in (settling, held_up):
        days.trade("5", "49", WEDNESDAY, account=account, instrument=_name("GOOD"))
    Quarantine.objects.create(consumer="pnl", account=held_up, entry_id=1, error="bad")
    with recorded(at(WEDNESDAY, 14)), transaction.atomic():
        make.make_trade(days.user, settling, _name("GOOD"), "1", "49", trade_date=WEDNESDAY, at=NOW)
    drain(POSITIONS, settling.pk % 16)
    _compare()


def _compare() -> None:
    ids = dict(Account.objects.values_list("code", "pk"))
    rows = live_rows(accounts=ids.values(), now=NOW)
    reasons = Counter(row.pnl_reason for row in rows)
    assert set(reasons) == {None, *REASONS}
    for total in live_totals(accounts=ids.values(), now=NOW):
        mine = [row for row in rows if row.account == total.account]
        wrong = [row.pnl_reason for row in mine if row.pnl_reason]
        assert (total.trade_pnl, total.position_pnl, total.invalid_rows, total.pnl_reason) == (
            sum((row.trade_pnl or Decimal(0) for row in mine), Decimal(0)),
            sum((row.position_pnl or Decimal(0) for row in mine), Decimal(0)),
            len(wrong),
            min(wrong, key=REASONS.index, default=None),
        ), total.account


def _hold_back(ticker: str, kind: CloseDoubt.Kind, session: date) -> None:
    CloseDoubt.objects.create(
        instrument=_name(ticker),
        session=session,
        source=settings.PRICE_SOURCE,
        kind=kind,
        price=Decimal(5000),
        compared_with=Decimal(50),
        as_of=NOW if kind == CloseDoubt.Kind.QUOTE else None,
        raised_at=NOW,
    )


def _account(code: str) -> Account:
    return Account.objects.get_or_create(code=code)[0]


def _name(ticker: str) -> Instrument:
    return Instrument.objects.get(ticker=ticker)
