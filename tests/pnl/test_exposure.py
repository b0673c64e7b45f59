"""Exposures of accounts and groups, beside the same sums by hand over what is held."""

import random
from collections import defaultdict
from decimal import Decimal

import pytest

from pnl.live.exposure import ALL_PARTS, Exposure, Part, exposures
from pnl.live.totals import live_totals
from positions.models import Position
from prices.models import Instrument
from tests import factories as make
from tests.pnl.conftest import MONDAY, TUESDAY, Days, at

D = Decimal
NOW = at(TUESDAY, 18)
PARTS = [ALL_PARTS, frozenset[Part](), *(frozenset({part}) for part in Part)]


@pytest.mark.parametrize("seed", range(6))
def test_exposures_are_the_sums_of_what_is_held(days: Days, seed: int) -> None:
    """Long and short by account and never netted, names netted over a group; of either sign."""
    chance = random.Random(seed)
    names = [days.ibm, *(make.make_instrument(f"N{n}") for n in range(3))]
    accounts = [days.account, make.make_account("Second"), make.make_account("Third")]
    for name in names:
        days.close(MONDAY, str(chance.randint(50, 150)), name)
        make.make_quote(name, str(chance.randint(50, 150)), NOW)
    unpriced = make.make_instrument("NONE")
    days.trade("7", "10", MONDAY, instrument=unpriced)
    # Without a close of the day before, what was bought today is compared with the mark.
    new = make.make_instrument("NEW")
    make.make_quote(new, "20", NOW)
    days.trade("3", "19", TUESDAY, instrument=new)
    for account in accounts[:2]:
        for name in names:
            for day in (MONDAY, TUESDAY):
                if quantity := chance.randint(-90, 90):
                    price = str(chance.randint(40, 160))
                    days.trade(str(quantity), price, day, instrument=name, account=account)
    scopes = {n: [account.pk] for n, account in enumerate(accounts)}
    scopes[9] = [account.pk for account in accounts]
    right = {number: by_hand(scope) for number, scope in scopes.items()}
    for parts in PARTS:
        found = exposures(scopes, NOW, parts=parts)
        for number, whole in right.items():
            assert found[number] == Exposure(
                long=whole.long,
                short=whole.short,
                name=whole.name if Part.NAME in parts else D(0),
                position=whole.position if Part.POSITION in parts else D(0),
                pnl=whole.pnl if Part.PNL in parts else D(0),
                unpriced=whole.unpriced,
            )


def by_hand(scope: list[int]) -> Exposure:
    prices: dict[int, D | None] = dict(Instrument.objects.values_list("pk", "quotes__price"))
    values: dict[int, D] = defaultdict(D)
    held: dict[int, D] = defaultdict(D)
    long = short = D(0)
    unpriced = 0
    for row in Position.objects.filter(account__in=scope):
        held[row.instrument_id] += row.quantity
        price = prices[row.instrument_id]
        if price is None:
            unpriced += row.quantity != 0
            continue
        value = row.quantity * price
        values[row.instrument_id] += value
        long, short = long + max(value, D(0)), short + min(value, D(0))
    pnl = sum((total.total_pnl for total in live_totals(accounts=scope, now=NOW)), D(0))
    return Exposure(
        long=long,
        short=short,
        name=max(map(abs, values.values()), default=D(0)),
        position=max(map(abs, held.values()), default=D(0)),
        pnl=pnl,
        unpriced=unpriced,
    )
