"""Facts of the database that a reader of files needs: tickers that are listed or were, and what
is held where short selling is not allowed."""

from collections.abc import Collection, Mapping

from django.contrib.auth.models import AbstractBaseUser

from accounts.selectors import account_rights
from prices.models import Instrument, InstrumentAlias
from trades.imports.reading.limited import Key, Limited
from trades.imports.reading.names import SIDE
from trades.imports.reading.opening import Opened
from trades.imports.reading.tickers import Tickers
from trades.running_position import RunningPosition
from trades.services.limits import ledger_sums


def tickers_known() -> Tickers:
    """All tickers that mean or meant something."""
    names = dict(Instrument.objects.values_list("ticker", "name"))
    former = InstrumentAlias.objects.values_list("ticker", flat=True)
    return Tickers([*names, *former], names)


def limited_of(user: AbstractBaseUser, opened: Opened) -> Limited | None:
    """Who looks after sales in accounts that may not go short; None where the file names none."""
    named = {opened.reading.account} if opened.reading.account else opened.seen.accounts
    accounts = {
        right.account.code: right.account.pk
        for right in account_rights(user)
        if right.account.code in named and not right.account.can_short
    }
    if not accounts or (SIDE not in opened.reading.fields and not opened.seen.is_signed):
        return None

    def held(keys: Collection[Key]) -> Mapping[Key, RunningPosition]:
        tickers = {ticker for _, ticker in keys}
        ids = dict(Instrument.objects.filter(ticker__in=tickers).values_list("ticker", "pk"))
        known = {(accounts[a], ids[t]): (a, t) for a, t in keys if t in ids}
        sums = {known[key]: found for key, found in ledger_sums(known).items()} if known else {}
        return {key: sums.get(key) or RunningPosition() for key in keys}

    return Limited(accounts, tickers_known().find, held)
