"""The mark and its source at each hour: over a weekend, before the open, during, after the end
before the close arrives, and after."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from kernel.clock import NEW_YORK
from prices.current_marks import marks
from prices.marks import Mark
from prices.models import Instrument, Quote
from prices.services.overrides import override_set
from tests import factories

pytestmark = pytest.mark.django_db

THURSDAY, FRIDAY, MONDAY = date(2026, 1, 29), date(2026, 1, 30), date(2026, 2, 2)
DAYS = {"Fri": FRIDAY, "Sat": date(2026, 1, 31), "Sun": date(2026, 2, 1), "Mon": MONDAY}

# What is known when: (moment, what). Each minute's refresh is told by its last before the row.
STORY = [
    ("Fri 09:30:30", "quote", "140.00"),
    ("Fri 12:00:30", "quote", "141.00"),
    ("Fri 15:59:30", "quote", "142.00"),
    ("Fri 16:00:10", "close", "142.50"),
    ("Mon 04:00:00", "quote", "150.00"),  # before the open: a real source's does not mark
    ("Mon 09:30:30", "quote", "145.00"),
    ("Mon 15:59:30", "quote", "146.00"),
    ("Mon 16:10:05", "close", "146.25"),
]

# moment in New York, mark, its source, stale, previous close
TABLE = [
    ("Fri 00:00:00", "139.00", "previous_close", False, "139.00"),
    ("Fri 09:29:59", "139.00", "previous_close", False, "139.00"),
    ("Fri 09:30:00", "139.00", "previous_close", False, "139.00"),
    ("Fri 09:30:45", "140.00", "quote", False, "139.00"),
    ("Fri 11:00:00", "140.00", "quote", True, "139.00"),
    ("Fri 12:01:00", "141.00", "quote", False, "139.00"),
    ("Fri 15:59:59", "142.00", "quote", False, "139.00"),
    ("Fri 16:00:05", "142.00", "quote", False, "139.00"),
    ("Fri 16:00:10", "142.50", "close", False, "139.00"),
    ("Fri 23:59:59", "142.50", "close", False, "139.00"),
    *((f"{day} {hour:02}:00:00", "142.50", "close", False, "139.00")
      for day in ("Sat", "Sun") for hour in range(24)),
    ("Sun 23:59:59", "142.50", "close", False, "139.00"),
    ("Mon 00:00:00", "142.50", "previous_close", False, "142.50"),
    ("Mon 04:00:00", "142.50", "previous_close", False, "142.50"),
    ("Mon 09:29:59", "142.50", "previous_close", False, "142.50"),
    ("Mon 09:32:00", "145.00", "quote", False, "142.50"),
    ("Mon 09:33:31", "145.00", "quote", True, "142.50"),
    ("Mon 15:59:59", "146.00", "quote", False, "142.50"),
    ("Mon 16:00:00", "146.00", "quote", False, "142.50"),
    ("Mon 16:10:05", "146.25", "close", False, "142.50"),
    ("Mon 23:59:59", "146.25", "close", False, "142.50"),
]  # fmt: skip


def moment(text: str) -> datetime:
    day, clock = text.split()
    wall = datetime.combine(DAYS[day], datetime.strptime(clock, "%H:%M:%S").time(), NEW_YORK)  # noqa: DTZ007
    return wall.astimezone(UTC)


@pytest.fixture
def share(settings: Any) -> Instrument:
    settings.PRICE_SOURCE = "yahoo"
    share = factories.make_instrument("IBM")
    factories.make_close(share, THURSDAY, "139.00", "yahoo")
    # What is of another source never marks.
    factories.make_quote(share, "9", moment("Fri 10:00:00"), "simulated")
    factories.make_close(share, FRIDAY, "9", "simulated")
    return share


def tell(share: Instrument, after: datetime | None, until: datetime) -> None:
    """What a running system comes to know between the two moments."""
    for text, kind, price in STORY:
        at = moment(text)
        if at > until or (after is not None and at <= after):
            continue
        if kind == "close":
            factories.make_close(share, DAYS[text[:3]], price, "yahoo")
        else:
            Quote.objects.update_or_create(
                instrument=share, source="yahoo", defaults={"price": price, "as_of": at}
            )


def mark_at(share: Instrument, text: str) -> Mark:
    [mark] = marks(moment(text), [share.pk])
    return mark


def test_the_mark_at_each_hour(share: Instrument) -> None:
    seen, before = [], None
    for text, *_ in TABLE:
        tell(share, before, moment(text))
        before = moment(text)
        mark = mark_at(share, text)
        assert mark.price_source == "yahoo"
        seen.append((text, str(mark.mark), mark.mark_source, mark.stale, str(mark.previous_close)))
    assert seen == TABLE


def test_an_override_marks_at_any_hour_until_it_expires(share: Instrument) -> None:
    staff = factories.make_user("staff", is_staff=True)
    tell(share, None, moment("Sat 03:00:00"))
    override_set(
        user=staff, ticker="IBM", price=Decimal(141), reason="Halted", now=moment("Sat 03:00:00")
    )
    for text in ("Sat 04:00:00", "Sun 23:59:59"):
        mark = mark_at(share, text)
        assert (mark.mark, mark.mark_source, mark.is_override) == (Decimal(141), "override", True)
    # Left to itself it ends with the business date, which on a Saturday is Friday's.
    assert mark_at(share, "Mon 00:00:00").mark_source == "previous_close"


def test_a_carried_close_says_so(share: Instrument) -> None:
    factories.make_close(share, FRIDAY, "139.00", "carried")
    [mark] = marks(moment("Fri 23:51:00"), [share.pk])
    assert (mark.mark, mark.mark_source, mark.carried) == (Decimal("139.00"), "carried", True)
    [mark] = marks(moment("Mon 00:30:00"), [share.pk])
    assert (mark.mark_source, mark.carried) == ("previous_close", True)


def test_without_any_price_there_is_no_mark(share: Instrument) -> None:
    bare = factories.make_instrument("NEW")
    [mark] = marks(moment("Fri 12:00:00"), [bare.pk])
    assert (mark.mark, mark.mark_source, mark.previous_close) == (None, None, None)


def test_a_simulated_quote_marks_at_any_hour(share: Instrument, settings: Any) -> None:
    settings.PRICE_SOURCE = "simulated"
    at = moment("Mon 03:00:00")
    Quote.objects.filter(source="simulated").update(price=11, as_of=at - timedelta(seconds=2))
    [mark] = marks(at, [share.pk])
    assert (mark.mark, mark.mark_source) == (Decimal(11), "quote")
