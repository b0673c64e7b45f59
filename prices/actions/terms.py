"""The terms of corporate actions as people give them: completed by kind, and checked. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

from kernel.actions import ONE, ZERO, Fractions
from kernel.errors import FieldError


@dataclass(frozen=True, slots=True)
class LegTerms:
    """`cost_share` None: not said, which is all of it for the only leg where nothing is kept."""

    ticker: str
    new: Decimal
    old: Decimal
    cost_share: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Terms:
    """One version's terms. What is None was not said and is completed by the kind."""

    kind: str
    ticker: str
    ex_date: date
    sequence: int = 1
    keep_new: Decimal | None = None
    keep_old: Decimal | None = None
    fractions: str = Fractions.CASH
    cash: Decimal = ZERO
    cash_is_income: bool | None = None
    cost_to_cash: Decimal = ZERO
    legs: tuple[LegTerms, ...] = ()
    cash_in_lieu: Decimal | Mapping[str, Decimal] | None = None
    pay_date: date | None = None


@dataclass(frozen=True, slots=True)
class _Kind:
    """What a kind may and must say."""

    keeps: Callable[[Decimal, Decimal], bool] | None = None
    ends: bool = False
    has_cash: bool = False
    has_legs: bool = False
    needs: tuple[str, ...] = ()
    is_income: bool = False


_KINDS = {
    "split": _Kind(keeps=lambda new, old: new > old),
    "reverse_split": _Kind(keeps=lambda new, old: 0 < new < old),
    "stock_dividend": _Kind(keeps=lambda new, old: new > old),
    "cash_dividend": _Kind(has_cash=True, needs=("cash",), is_income=True),
    "return_of_capital": _Kind(has_cash=True, needs=("cash",)),
    "spin_off": _Kind(has_cash=True, has_legs=True, needs=("legs",)),
    "merger": _Kind(ends=True, has_cash=True, has_legs=True, needs=("cash", "legs")),
    "liquidation": _Kind(ends=True, has_cash=True, has_legs=True, needs=("cash", "legs")),
    "worthless": _Kind(ends=True),
}


def completed(terms: Terms) -> Terms:
    """The same terms with what their kind says where they say nothing."""
    kind = _KINDS[terms.kind]
    keep_new = terms.keep_new
    if keep_new is None:
        keep_new = ZERO if kind.ends else ONE
    is_income = kind.is_income if terms.cash_is_income is None else terms.cash_is_income
    in_lieu = terms.cash_in_lieu
    if isinstance(in_lieu, Decimal):
        tickers = [terms.ticker] if kind.keeps else [leg.ticker for leg in terms.legs]
        in_lieu = dict.fromkeys(tickers, in_lieu)
    only = ONE if kind.ends and len(terms.legs) == 1 else ZERO
    legs = tuple(
        replace(leg, cost_share=only if leg.cost_share is None else leg.cost_share)
        for leg in terms.legs
    )
    return replace(
        terms,
        keep_new=keep_new,
        keep_old=ONE if terms.keep_old is None else terms.keep_old,
        cash_is_income=is_income,
        legs=legs,
        cash_in_lieu=in_lieu or {},
    )


def terms_problems(terms: Terms) -> list[FieldError]:
    """What is wrong with completed terms, by field; nothing is looked up."""
    kind = _KINDS[terms.kind]
    found = [*_ratio(terms, kind), *_of_kind(terms, kind), *_legs(terms, kind)]
    if isinstance(terms.cash_in_lieu, Mapping):
        targets = {terms.ticker, *(leg.ticker for leg in terms.legs)}
        found += [
            FieldError("unknown_ticker", f"{ticker} is none of its shares.", "cash_in_lieu")
            for ticker in sorted(set(terms.cash_in_lieu) - targets)
        ]
    return found


def _ratio(terms: Terms, kind: _Kind) -> list[FieldError]:
    new = ONE if terms.keep_new is None else terms.keep_new
    old = ONE if terms.keep_old is None else terms.keep_old
    if old <= 0 or new < 0:
        return [FieldError("ratio", "Shares after : before are positive numbers.", "keep_new")]
    if kind.keeps is not None:
        if not kind.keeps(new, old):
            detail = f"{new.normalize():f}:{old.normalize():f} is no {terms.kind}."
            return [FieldError("ratio", detail, "keep_new")]
    elif kind.ends:
        if new != 0:
            return [FieldError("ratio", f"A {terms.kind} leaves no shares: 0.", "keep_new")]
    elif new != old:
        return [FieldError("ratio", f"A {terms.kind} keeps the shares: 1:1.", "keep_new")]
    return []


def _of_kind(terms: Terms, kind: _Kind) -> list[FieldError]:
    said: Mapping[str, Any] = {"cash": terms.cash, "legs": terms.legs}
    found = []
    for name, may in (("cash", kind.has_cash), ("legs", kind.has_legs)):
        if said[name] and not may:
            found.append(FieldError("not_of_kind", f"A {terms.kind} has none.", name))
    if kind.needs and not any(said[name] for name in kind.needs):
        detail = f"A {terms.kind} has {' or '.join(kind.needs)}."
        found.append(FieldError("required", detail, kind.needs[0]))
    if terms.cash < 0:
        found.append(FieldError("not_positive", "Cash is not negative.", "cash"))
    if not 0 <= terms.cost_to_cash <= 1:
        found.append(FieldError("cost_shares", "A share of the cost is 0 to 1.", "cost_to_cash"))
    if terms.cost_to_cash and not terms.cash:
        found.append(FieldError("not_of_kind", "Without cash no cost goes to it.", "cost_to_cash"))
    return found


def _legs(terms: Terms, kind: _Kind) -> list[FieldError]:
    found = []
    seen = {terms.ticker}
    for leg in terms.legs:
        if leg.ticker in seen:
            detail = f"{leg.ticker} is named twice: a leg is of another instrument."
            found.append(FieldError("same_instrument", detail, "legs"))
        seen.add(leg.ticker)
        if leg.new <= 0 or leg.old <= 0:
            found.append(FieldError("ratio", "Shares new : old are positive numbers.", "legs"))
    shares: Sequence[Decimal] = [leg.cost_share or ZERO for leg in terms.legs]
    # Where nothing is kept, what the cash leaves of the cost is divided in the legs' proportion.
    total = sum(shares, ZERO) + (ZERO if kind.ends else terms.cost_to_cash)
    if any(not 0 <= share <= 1 for share in shares) or total > 1:
        detail = "The shares of the cost are each 0 to 1, and together 1 at most."
        found.append(FieldError("cost_shares", detail, "legs"))
    return found
