"""Membership of the index."""

from collections.abc import Callable
from datetime import date, datetime

import pytest
from django.core.management import CommandError, call_command

from prices.models import Close, Instrument
from prices.services.instruments import (
    INDEX,
    Listed,
    RenameRefused,
    instrument_rename,
    instruments_sync,
    listed_members,
    members_set,
    yahoo_symbol_of,
)
from tests import factories

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


RENAMED = date(2022, 6, 9)


def test_a_dot_in_a_ticker_is_a_dash_at_yahoo() -> None:
    assert [yahoo_symbol_of(t) for t in ("BRK.B", "IBM")] == ["BRK-B", "IBM"]


def test_the_installed_list_holds_the_index_with_its_exchanges() -> None:
    listed = {member.ticker: member for member in listed_members()}
    assert 490 < len(listed) < 515
    assert listed["AAPL"].exchange == "XNAS"
    assert listed["IBM"].exchange == "XNYS"
    assert instruments_sync().members == len(listed)
    assert Instrument.objects.get(ticker="IBM").yahoo_symbol == "IBM"


def test_a_rename_keeps_the_instrument_and_its_symbol_follows(
    make_instrument: Callable[..., Instrument],
) -> None:
    before = make_instrument("FB")
    renamed = instrument_rename(old="FB", new="META.A", since=RENAMED)
    assert (renamed.pk, renamed.ticker, renamed.yahoo_symbol) == (before.pk, "META.A", "META-A")
    assert not Instrument.objects.filter(ticker="FB").exists()


def test_a_symbol_set_by_hand_stays(make_instrument: Callable[..., Instrument]) -> None:
    make_instrument("FB", yahoo_symbol="FB.X")
    assert instrument_rename(old="FB", new="META", since=RENAMED).yahoo_symbol == "FB.X"


def test_a_rename_takes_over_what_a_sync_has_made(
    make_instrument: Callable[..., Instrument],
) -> None:
    old, new = make_instrument("FB", indices=["Other"]), make_instrument("META")
    Close.objects.create(instrument=new, session=date(2026, 1, 29), close=1, source="yahoo")
    instrument_rename(old="FB", new="META", since=RENAMED)
    old.refresh_from_db()
    new.refresh_from_db()
    assert (old.ticker, old.indices, old.is_active) == ("META", ["Other", INDEX], True)
    assert (new.ticker, new.indices, new.is_active) == ("FB", [], False)


def test_a_rename_into_one_that_is_traded_is_refused(
    make_instrument: Callable[..., Instrument], now: datetime
) -> None:
    make_instrument("FB")
    traded = make_instrument("META")
    account, user = factories.make_account(), factories.make_user()
    factories.make_trade(user, account, traded, "1", "1", trade_date=date(2026, 1, 29), at=now)
    with pytest.raises(RenameRefused, match="META is there already"):
        instrument_rename(old="FB", new="META", since=RENAMED)
    assert set(Instrument.objects.values_list("ticker", flat=True)) == {"FB", "META"}


@pytest.mark.parametrize(("old", "new"), [("NO", "NEW"), ("IBM", "IBM"), ("IBM", "bad ticker")])
def test_a_rename_that_makes_no_sense_is_refused(ibm: Instrument, old: str, new: str) -> None:
    with pytest.raises(CommandError):
        call_command("rename_instrument", old, new)
    ibm.refresh_from_db()
    assert ibm.ticker == "IBM"
