"""The instruments: members of the S&P 500 as pytickersymbols lists them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import ForeignObjectRel, Max, Q

from kernel.errors import DomainError, FieldError, Invalid
from prices.models import Instrument, InstrumentAlias
from prices.notify import publish_changed
from prices.sources.levels import LEVELS

INDEX = "S&P 500"


@dataclass(frozen=True)
class Listed:
    """A member of the index as the library lists it."""

    ticker: str
    name: str
    exchange: str = "XNYS"


@dataclass(frozen=True)
class SyncReport:
    """The tickers that joined the index and left it, and the number of members. A rename shows as
    one of each: nobody but a person can know that they are the same share."""

    joined: tuple[str, ...]
    left: tuple[str, ...]
    members: int


def yahoo_symbol_of(ticker: str) -> str:
    """Yahoo writes share classes with a hyphen: BRK.B is BRK-B."""
    return ticker.replace(".", "-")


def listed_members() -> list[Listed]:
    """The index as the installed library has it; no network."""
    from pytickersymbols import PyTickerSymbols  # parses 4 MB of lists: only when it is needed

    return [
        Listed(stock["symbol"], stock["name"] or "", _exchange(stock))
        for stock in PyTickerSymbols().get_stocks_by_index(INDEX)
    ]


def _exchange(stock: dict[str, Any]) -> str:
    """The market that the library says the share is traded as ("Nasdaq : AAPL ..."). Its list of
    listings says less: only 154 of 503 name a US market there."""
    traded_as = str((stock.get("metadata") or {}).get("traded_as", ""))
    return "XNAS" if traded_as.startswith("Nasdaq") else "XNYS"


def instruments_sync() -> SyncReport:
    """Bring membership of the index up to date with the installed library."""
    return members_set(listed_members())


@transaction.atomic
def members_set(members: Iterable[Listed]) -> SyncReport:
    """Make these, and nobody else, members of the index. New tickers become instruments.

    Touches `indices` only of those that are known: names, Yahoo symbols and `is_active` are kept
    as people set them. A second call changes nothing.
    """
    wanted = {member.ticker: member for member in members}
    known = {i.ticker: i for i in Instrument.objects.select_for_update(no_key=True)}
    before = {ticker for ticker, i in known.items() if INDEX in i.indices}
    joined = sorted(wanted.keys() - before)
    left = sorted(before - wanted.keys())
    Instrument.objects.bulk_create(
        Instrument(
            ticker=ticker,
            name=wanted[ticker].name[:160],
            exchange=wanted[ticker].exchange,
            yahoo_symbol=yahoo_symbol_of(ticker),
            indices=[INDEX],
            # Known ones keep the level that their made-up history has.
            simulated_level=LEVELS.get(ticker),
        )
        for ticker in joined
        if ticker not in known
    )
    changed = [known[ticker] for ticker in (*joined, *left) if ticker in known]
    for instrument in changed:
        others = [index for index in instrument.indices if index != INDEX]
        instrument.indices = [*others, INDEX] if instrument.ticker in wanted else others
    Instrument.objects.bulk_update(changed, ["indices"])
    return SyncReport(tuple(joined), tuple(left), len(wanted))


@transaction.atomic
def instrument_add(
    *, ticker: str, name: str = "", exchange: str = "XNYS", yahoo_symbol: str = ""
) -> Instrument:
    """Add a listed name outside the index, such as an ETF or an ADR. It is priced once it is held
    or traded, if the price source knows it in USD. Raises Invalid, by field."""
    if Instrument.objects.filter(ticker=ticker).exists():
        raise Invalid(FieldError("taken", f"{ticker} is there already.", "ticker"))
    added = Instrument(
        ticker=ticker,
        name=name.strip(),
        exchange=exchange,
        yahoo_symbol=yahoo_symbol or yahoo_symbol_of(ticker),
        simulated_level=LEVELS.get(ticker),
    )
    try:
        added.full_clean()
    except ValidationError as error:
        # A constraint names no field: the only ones that a caller can break are of the ticker.
        raise Invalid(
            *(
                FieldError("invalid", " ".join(said), "ticker" if attr == "__all__" else attr)
                for attr, said in error.message_dict.items()
            )
        ) from error
    added.save()
    return added


class RenameRefused(DomainError):
    """These two tickers cannot be made one by a rename."""

    code = "rename_refused"
    detail = "This instrument cannot be renamed so."


@transaction.atomic
def instrument_rename(*, old: str, new: str, since: date) -> Instrument:
    """Give an instrument another ticker; its trades, positions and prices stay its own. On the
    days before `since` the old ticker goes on meaning it.

    Its Yahoo symbol follows unless it was set by hand. Where a sync has already made an instrument
    of the new ticker, and nothing but prices is known of it, the two change their tickers: the
    renamed one takes over the membership of indices, and the other is left inactive. Raises
    RenameRefused; locks both, by id.
    """
    both = {
        i.ticker: i
        for i in Instrument.objects.select_for_update().filter(ticker__in=[old, new]).order_by("pk")
    }
    if old == new or old not in both:
        raise RenameRefused(f"There is no instrument {old!r}." if old != new else None)
    renamed, taken = both[old], both.get(new)
    symbol_followed = renamed.yahoo_symbol == yahoo_symbol_of(old)
    if taken is not None:
        _refuse_if_known(taken)
        renamed.indices = sorted({*renamed.indices, *taken.indices})
        _set_aside(taken)
    renamed.ticker = new
    if symbol_followed:
        renamed.yahoo_symbol = yahoo_symbol_of(new)
    try:
        renamed.full_clean()
    except ValidationError as error:
        raise RenameRefused("; ".join(error.messages)) from error
    renamed.save()
    _remember(renamed, old, since)
    if taken is not None:
        taken.ticker, taken.yahoo_symbol = old, yahoo_symbol_of(old)
        taken.save()
    publish_changed([renamed.pk])
    return renamed


def _remember(renamed: Instrument, old: str, since: date) -> None:
    """Keep the ticker as that of the days before, from where it or the instrument's name of then
    had another meaning. One that was never its name for a day is not kept."""
    before = InstrumentAlias.objects.filter(Q(instrument=renamed) | Q(ticker=old))
    last = before.aggregate(last=Max("last"))["last"]
    first = None if last is None else last + timedelta(days=1)
    until = since - timedelta(days=1)
    if first is None or first <= until:
        InstrumentAlias.objects.create(instrument=renamed, ticker=old, first=first, last=until)


def _refuse_if_known(taken: Instrument) -> None:
    """Only prices may know it: what is in the ledger cannot be moved to another instrument."""
    for relation in Instrument._meta.get_fields(include_hidden=True):
        if not isinstance(relation, ForeignObjectRel):
            continue
        model: Any = relation.related_model
        of_it = {relation.field.name: taken}
        if model._meta.app_label != "prices" and model.objects.filter(**of_it).exists():
            raise RenameRefused(
                f"{taken.ticker} is there already, with {model._meta.verbose_name_plural}."
            )


def _set_aside(taken: Instrument) -> None:
    """Out of the way of the unique ticker, until it can have the old one."""
    taken.ticker, taken.is_active, taken.indices = f"0{taken.pk}", False, []
    taken.save()
