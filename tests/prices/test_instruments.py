"""Membership of the index."""

from collections.abc import Callable

import pytest

from prices.models import Instrument
from prices.services.instruments import (
    INDEX,
    Listed,
    instruments_sync,
    listed_members,
    members_set,
    yahoo_symbol_of,
)

pytestmark = pytest.mark.django_db


def test_who_joins_is_made_with_yahoos_spelling() -> None:
    report = members_set([Listed("BRK.B", "Berkshire Hathaway", "XNYS"), Listed("AAPL", "Apple")])
    assert (report.joined, report.left, report.members) == (("AAPL", "BRK.B"), (), 2)
    made = Instrument.objects.get(ticker="BRK.B")
    assert (made.yahoo_symbol, made.name, made.indices) == ("BRK-B", "Berkshire Hathaway", [INDEX])
    assert made.is_active


def test_a_second_sync_changes_nothing() -> None:
    members_set([Listed("AAPL", "Apple")])
    report = members_set([Listed("AAPL", "Apple")])
    assert (report.joined, report.left) == ((), ())


def test_who_leaves_loses_only_the_membership(make_instrument: Callable[..., Instrument]) -> None:
    make_instrument("OLD", indices=["Other", INDEX], yahoo_symbol="OLD-X")
    report = members_set([Listed("NEW", "Renamed, perhaps")])
    assert (report.joined, report.left) == (("NEW",), ("OLD",))
    old = Instrument.objects.get(ticker="OLD")
    assert (old.indices, old.is_active, old.yahoo_symbol) == (["Other"], True, "OLD-X")


def test_who_comes_back_keeps_what_people_set(make_instrument: Callable[..., Instrument]) -> None:
    make_instrument("BACK", indices=[], yahoo_symbol="BACK-X", is_active=False, name="By hand")
    report = members_set([Listed("BACK", "From the list")])
    assert report.joined == ("BACK",)
    back = Instrument.objects.get(ticker="BACK")
    assert (back.indices, back.yahoo_symbol) == ([INDEX], "BACK-X")
    assert (back.is_active, back.name) == (False, "By hand")


def test_yahoo_symbol() -> None:
    assert [yahoo_symbol_of(t) for t in ("BRK.B", "IBM")] == ["BRK-B", "IBM"]


def test_the_installed_list() -> None:
    listed = {member.ticker: member for member in listed_members()}
    assert 490 < len(listed) < 515
    assert listed["AAPL"].exchange == "XNAS"
    assert listed["IBM"].exchange == "XNYS"
    assert instruments_sync().members == len(listed)
    assert Instrument.objects.get(ticker="IBM").yahoo_symbol == "IBM"
