"""A ticker means what it meant on the day."""

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from django.core.management import call_command
from django.db import IntegrityError, transaction

from prices.models import Instrument, InstrumentAlias
from prices.names import instrument_on, names_of, why_unknown
from prices.services.instruments import instrument_rename

RENAMED = date(2022, 6, 9)
DAY = timedelta(days=1)
Make = Callable[..., Instrument]


def test_the_old_ticker_is_known_for_the_days_before(make_instrument: Make) -> None:
    shares = make_instrument("FB")
    instrument_rename(old="FB", new="META", since=RENAMED)
    assert instrument_on("FB", RENAMED - DAY) == shares
    assert instrument_on("FB", date(2012, 5, 18)) == shares
    assert instrument_on("FB", RENAMED) is None
    assert instrument_on("META", RENAMED) == instrument_on("META", RENAMED - DAY) == shares
    assert why_unknown(names_of(["FB"]), "FB") == "FB is META after 2022-06-08."
    assert why_unknown(names_of(["XX"]), "XX") == "This ticker is not known."


def test_a_ticker_that_another_share_has_since(make_instrument: Make) -> None:
    first = make_instrument("CPB")
    instrument_rename(old="CPB", new="CPBX", since=date(2024, 1, 2))
    second = make_instrument("CPB")
    instrument_rename(old="CPB", new="CAMP", since=date(2025, 1, 2))
    assert instrument_on("CPB", date(2024, 1, 1)) == first
    assert instrument_on("CPB", date(2024, 1, 2)) == second
    assert instrument_on("CPB", date(2025, 1, 2)) is None
    third = make_instrument("CPB")
    assert instrument_on("CPB", date(2025, 1, 2)) == third


def test_renamed_twice_and_back(make_instrument: Make) -> None:
    shares = make_instrument("A")
    for old, new, since in (("A", "B", 2), ("B", "C", 3), ("C", "A", 4)):
        instrument_rename(old=old, new=new, since=date(2025, 1, since))
    spans = InstrumentAlias.objects.order_by("last").values_list("ticker", "first", "last")
    assert list(spans) == [
        ("A", None, date(2025, 1, 1)),
        ("B", date(2025, 1, 2), date(2025, 1, 2)),
        ("C", date(2025, 1, 3), date(2025, 1, 3)),
    ]
    for day in (1, 2, 3, 4):
        assert instrument_on("A", date(2025, 1, day)) == shares


def test_a_name_of_no_day_is_not_kept(make_instrument: Make) -> None:
    make_instrument("A")
    for old, new in (("A", "B"), ("B", "C")):
        instrument_rename(old=old, new=new, since=RENAMED)
    assert list(InstrumentAlias.objects.values_list("ticker", flat=True)) == ["A"]


def test_the_command_takes_the_date(make_instrument: Make) -> None:
    make_instrument("FB")
    call_command("rename_instrument", "FB", "META", "--since", "2022-06-09")
    assert InstrumentAlias.objects.get().last == RENAMED - DAY


@pytest.mark.parametrize(
    ("first", "last"), [(None, 3), (1, 1), (2, 5), (5, 9)], ids=["ever", "first", "in", "end"]
)
def test_the_database_refuses_two_meanings_of_a_day(
    make_instrument: Make, first: int | None, last: int
) -> None:
    one, other = make_instrument("ONE"), make_instrument("OTHER")

    def alias(of: Instrument, first: int | None, last: int) -> None:
        begin = None if first is None else date(2025, 1, first)
        InstrumentAlias.objects.create(
            instrument=of, ticker="OLD", first=begin, last=date(2025, 1, last)
        )

    alias(one, 1, 5)
    with pytest.raises(IntegrityError, match="alias_means_one_a_day"), transaction.atomic():
        alias(other, first, last)
    alias(other, 6, 9)


def test_the_database_refuses_dates_the_wrong_way_round(ibm: Instrument) -> None:
    with pytest.raises(IntegrityError, match="first_not_after_last"), transaction.atomic():
        InstrumentAlias.objects.create(
            instrument=ibm, ticker="X", first=RENAMED, last=RENAMED - DAY
        )
    with pytest.raises(IntegrityError, match="inactive_since"), transaction.atomic():
        Instrument.objects.filter(pk=ibm.pk).update(inactive_since=RENAMED)
