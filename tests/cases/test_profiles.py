"""The profiles of sources: each reads its own made-up sample, found by its header alone."""

from datetime import date
from typing import Any

import pytest

from tests.trades.reading import opened, outcomes, told
from trades.imports.reading.heading import heading_of
from trades.imports.reading.planning import body, plan_of
from trades.imports.reading.profile import Profile
from trades.imports.reading.profiles import BY_NAME, PROFILES
from trades.imports.reading.units import framed, units_framed

BOUGHT, SOLD = ("buy", "1250", "143.25", "2026-03-16"), ("sell", "10", "143.5", "2026-03-18")
# What else stands in the samples, by kind.
PASSED = {
    "admin_export": ["cancelled"], "schwab": ["dividend", "total"],
    "fidelity": ["dividend", "text", "text"], "robinhood": ["dividend", "blank", "text"],
    "etrade": ["dividend", "option"], "etrade_activity": ["dividend"],
    "trading_212": ["dividend", "cash"], "ib_flex": ["option"], "ib_activity": ["section"] * 4,
}  # fmt: skip
IDENTITIES = {"admin_export", "grid_export", "reference", "ib_flex", "trading_212"}


def said_of(profile: Profile) -> dict[str, Any]:
    return {} if "account" in profile.columns.values() else {"account": "Test1"}


def terms(values: dict[str, str]) -> tuple[str, ...]:
    day = values.get("trade_date") or values["executed_at"][:10]
    price = values["price"]
    plain = price.rstrip("0").rstrip(".") if "." in price else price
    quantity = values["quantity"].split(".")[0]
    return values["side"], quantity, plain, day


@pytest.mark.parametrize("profile", PROFILES, ids=lambda each: each.name)
def test_a_sample_is_found_by_its_header_and_read(profile: Profile) -> None:
    said = said_of(profile)
    file = opened(profile.sample, **said)
    assert file.reading.profile == profile.name
    assert file.asks == ()
    read = outcomes(profile.sample, **said)
    rows = [told(row) for row in read.values()]
    trades = [row for row in rows if isinstance(row, dict)]
    assert {row["ticker"] for row in trades} == {"IBM"}
    assert {row["account"] for row in trades} == {"Test1"}
    assert {terms(row) for row in trades} >= {BOUGHT, SOLD}
    assert sorted(row for row in rows if isinstance(row, str)) == sorted(
        PASSED.get(profile.name, [])
    )
    has_identity = all("client_trade_id" in row for row in trades)
    assert has_identity == (profile.name in IDENTITIES)


@pytest.mark.parametrize("profile", PROFILES, ids=lambda each: each.name)
def test_a_sample_is_booked_oldest_first(profile: Profile) -> None:
    file = opened(profile.sample, **said_of(profile))
    plan = plan_of(file.reading, file.text.read, today=date(2026, 3, 18), order=None)
    data = b"".join(file.text.read())
    read = outcomes(profile.sample, **said_of(profile))
    booked = []
    for unit in units_framed(framed(plan, data), 0, file.reading.delimiter):
        row = told(read[unit.records[0].line])
        if isinstance(row, dict) and not unit.verdict:
            booked.append(terms(row))
    assert booked == [BOUGHT, SOLD]
    # Nothing is lost, and no line twice.
    lines = [r.line for u in units_framed(framed(plan, data), 0, ",") for r in u.records]
    assert sorted(lines) == [r.line for r in body(file.reading, file.text.read())]


@pytest.mark.parametrize("profile", PROFILES, ids=lambda each: each.name)
def test_a_profile_that_is_chosen_is_the_one(profile: Profile) -> None:
    file = opened(profile.sample, profile=profile.name, **said_of(profile))
    assert file.reading.profile == profile.name
    assert heading_of(
        [profile.sample.encode()], profile=BY_NAME[profile.name], mapping=None, account=None
    ).profile is profile  # fmt: skip


def test_times_of_trading_212_are_utc() -> None:
    rows = outcomes(BY_NAME["trading_212"].sample, account="Test1")
    assert told(rows[4])["executed_at"] == "2026-03-18T00:30:05+00:00"
    assert "trade_date" not in told(rows[4])


def test_times_of_degiro_are_those_of_amsterdam() -> None:
    rows = outcomes(BY_NAME["degiro"].sample, account="Test1")
    assert told(rows[2])["executed_at"] == "2026-03-18T15:05:00+00:00"
    other = BY_NAME["degiro"].sample.replace('"143,50",USD', '"143,50",EUR')
    assert told(outcomes(other, account="Test1")[2]) == ["not_usd"]
