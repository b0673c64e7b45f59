"""Prices by hand."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User

from kernel.errors import Invalid, NotThere
from prices.models import Instrument, PriceOverride
from prices.services.overrides import (
    override_end,
    override_expiry,
    override_set,
    overrides_expire,
)

pytestmark = pytest.mark.django_db


def put(user: User, now: datetime, **changed: Any) -> PriceOverride:
    values = {"ticker": "IBM", "price": Decimal("144.07"), "reason": "Halted"}
    return override_set(user=user, now=now, **{**values, **changed})


def test_it_is_recorded_with_who_and_why(ibm: Instrument, staff: User, now: datetime) -> None:
    override = put(staff, now)
    override.refresh_from_db()
    assert (override.instrument, override.price, override.reason, override.user) == (
        ibm, Decimal("144.07"), "Halted", staff,
    )  # fmt: skip
    assert override.ended_at is None


# UTC moment, end of its business date.
EXPIRIES = [
    ("2026-01-29T16:00", "2026-01-30T05:00"),
    ("2026-01-30T16:00", "2026-02-02T05:00"),  # Friday lasts until Monday
    ("2026-01-31T16:00", "2026-02-02T05:00"),
    ("2026-02-02T04:59", "2026-02-02T05:00"),
    ("2026-02-02T05:00", "2026-02-03T05:00"),
    ("2026-11-25T16:00", "2026-11-27T05:00"),  # over Thanksgiving
    ("2026-03-06T16:00", "2026-03-09T04:00"),  # the clocks go forward in between
]


@pytest.mark.parametrize(("moment", "expires"), EXPIRIES)
def test_it_expires_with_the_business_date(moment: str, expires: str) -> None:
    now = datetime.fromisoformat(moment).replace(tzinfo=UTC)
    assert override_expiry(now) == datetime.fromisoformat(expires).replace(tzinfo=UTC)


def test_without_an_expiry_it_takes_the_default(
    ibm: Instrument, staff: User, now: datetime
) -> None:
    assert put(staff, now).expires_at == datetime(2026, 2, 2, 5, tzinfo=UTC)
    later = now + timedelta(days=90)
    assert put(staff, now, expires_at=later).expires_at == later


def test_a_new_one_ends_the_one_before_and_nobody_elses(
    ibm: Instrument, aapl: Instrument, staff: User, now: datetime
) -> None:
    other = put(staff, now, ticker="AAPL")
    first = put(staff, now)
    later = now + timedelta(minutes=1)
    second = put(staff, later, price=Decimal(145))
    for override in (other, first, second):
        override.refresh_from_db()
    assert (first.ended_at, first.ended_by) == (later, staff)
    assert second.ended_at is None
    assert other.ended_at is None


def test_an_expired_one_is_left_as_it_was(ibm: Instrument, staff: User, now: datetime) -> None:
    first = put(staff, now, expires_at=now + timedelta(minutes=1))
    put(staff, now + timedelta(minutes=1))
    first.refresh_from_db()
    assert first.ended_at is None


@pytest.mark.parametrize(
    ("changed", "attr", "code"),
    [
        ({"ticker": "NOPE"}, "ticker", "unknown_ticker"),
        ({"price": Decimal(0)}, "price", "invalid"),
        ({"price": Decimal("-1")}, "price", "invalid"),
        ({"price": Decimal("NaN")}, "price", "invalid"),
        ({"price": Decimal("0.00000000001")}, "price", "invalid"),
        ({"price": Decimal("1000000000.1")}, "price", "invalid"),
        ({"reason": "  "}, "reason", "blank"),
        ({"expires_at": datetime(2026, 1, 30, 16, tzinfo=UTC)}, "expires_at", "in_past"),
    ],
)
def test_a_bad_override_is_refused_and_the_last_one_stays(
    ibm: Instrument, staff: User, now: datetime, changed: dict[str, Any], attr: str, code: str
) -> None:
    kept = put(staff, now)
    with pytest.raises(Invalid) as refusal:
        put(staff, now, **changed)
    assert [(e.attr, e.code) for e in refusal.value.errors] == [(attr, code)]
    kept.refresh_from_db()
    assert kept.ended_at is None


def test_ending_twice_keeps_the_first_end(ibm: Instrument, staff: User, now: datetime) -> None:
    override = put(staff, now)
    first_end = now + timedelta(minutes=1)
    override_end(user=staff, override_id=override.pk, now=first_end)
    again = override_end(user=staff, override_id=override.pk, now=now + timedelta(minutes=2))
    assert (again.ended_at, again.ended_by) == (first_end, staff)


def test_ending_an_expired_one_changes_nothing(ibm: Instrument, staff: User, now: datetime) -> None:
    override = put(staff, now, expires_at=now + timedelta(minutes=1))
    ended = override_end(user=staff, override_id=override.pk, now=now + timedelta(minutes=1))
    assert ended.ended_at is None


def test_ending_an_unknown_one(staff: User, now: datetime) -> None:
    with pytest.raises(NotThere):
        override_end(user=staff, override_id=404, now=now)


def test_setting_and_ending_an_override_are_both_published(
    ibm: Instrument,
    staff: User,
    now: datetime,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Any,
) -> None:
    sent: list[Any] = []
    monkeypatch.setattr("prices.notify.publish", sent.extend)
    notice = ("quotes", {"type": "quotes", "instruments": [ibm.pk]})
    with django_capture_on_commit_callbacks(execute=True):
        override = put(staff, now)
    assert sent == [notice]
    with django_capture_on_commit_callbacks(execute=True):
        override_end(user=staff, override_id=override.pk, now=now)
    assert sent == [notice, notice]


def test_what_expires_is_ended_then_and_told_of(
    ibm: Instrument,
    staff: User,
    now: datetime,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Any,
) -> None:
    told: list[Any] = []
    monkeypatch.setattr("prices.notify.publish", told.extend)
    ends = now + timedelta(minutes=5)
    override = override_set(
        user=staff, ticker="IBM", price=Decimal(1), reason="Halted", expires_at=ends, now=now
    )
    with django_capture_on_commit_callbacks(execute=True):
        assert overrides_expire(now=ends - timedelta(seconds=1)) == 0
    assert told == []
    with django_capture_on_commit_callbacks(execute=True):
        assert overrides_expire(now=ends + timedelta(seconds=40)) == 1
    assert told == [("quotes", {"type": "quotes", "instruments": [ibm.pk]})]
    override.refresh_from_db()
    assert (override.ended_at, override.ended_by) == (ends, None)
    assert overrides_expire(now=ends + timedelta(hours=1)) == 0
