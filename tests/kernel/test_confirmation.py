"""A token confirms one question of one user, once and for five minutes."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from django.db import transaction

from eqtrade.up.postgres import PostgresServer
from kernel.confirmation import GOOD_FOR, Question, confirm, is_confirmed
from kernel.errors import ConfirmationRequired, FieldError
from kernel.models import Confirmation
from tests import factories as make
from tests.at_once import at_once

NOW = datetime(2026, 1, 30, 16, 0, tzinfo=UTC)
TERMS: dict[str, Any] = {"ticker": "IBM", "price": Decimal("0.0203"), "expires_at": None}
FAR_OFF = FieldError("far_off", "0.0203 is far from 324.", "price")


@pytest.fixture
def asked(db: None) -> Question:
    return Question("override", make.make_user().pk, TERMS, (FAR_OFF,))


def token_of(asked: Question, now: datetime = NOW) -> str:
    with pytest.raises(ConfirmationRequired) as refusal, transaction.atomic():
        confirm(asked, token=None, now=now)
    assert refusal.value.errors == asked.doubts
    return refusal.value.token


def passes(asked: Question, token: str | None, now: datetime = NOW) -> bool:
    looked = is_confirmed(asked, token=token, now=now)
    try:
        with transaction.atomic():
            confirm(asked, token=token, now=now)
    except ConfirmationRequired:
        assert not looked
        return False
    assert looked
    return True


def test_the_same_again_goes_through_once(asked: Question) -> None:
    token = token_of(asked)
    assert passes(asked, token)
    assert not passes(asked, token)
    spent = Confirmation.objects.get()
    assert (spent.what, spent.codes, spent.user_id) == ("override", ["far_off"], asked.user)


def test_without_doubts_nothing_is_asked(asked: Question) -> None:
    token = token_of(asked)
    assert passes(replace(asked, doubts=()), None)
    # And nothing was spent.
    assert passes(replace(asked, doubts=()), token)
    assert passes(asked, token)


@pytest.mark.parametrize(
    "change",
    [
        {"terms": {**TERMS, "price": Decimal("0.0204")}},
        {"terms": {**TERMS, "ticker": "AAPL"}},
        {"terms": {"ticker": "IBM", "price": Decimal("0.0203")}},
        {"what": "close"},
        {"user": 0},
        {"doubts": (FAR_OFF, FieldError("stale", "It is stale.", "price"))},
        {"doubts": (replace(FAR_OFF, code="stale"),)},
        {"doubts": (replace(FAR_OFF, attr="trades.1.price"),)},
    ],
    ids=str,
)
def test_another_question_is_asked_anew_and_spends_nothing(
    asked: Question, change: dict[str, Any]
) -> None:
    token = token_of(asked)
    assert not passes(replace(asked, **change), token)
    assert passes(asked, token)


def test_how_a_number_or_a_time_is_written_is_no_other_question(asked: Question) -> None:
    then = datetime(2026, 2, 1, 9, 0, tzinfo=UTC)
    one = {"price": Decimal("10"), "at": then, "day": date(2026, 1, 2), "id": UUID(int=1)}
    other = {
        "id": UUID(int=1),
        "day": date(2026, 1, 2),
        "at": then.astimezone(NOW.astimezone().tzinfo),
        "price": Decimal("10.00"),
    }
    token = token_of(replace(asked, terms=one))
    changed = (replace(FAR_OFF, detail="The price has moved, and the words with it."),)
    assert passes(replace(asked, terms=other, doubts=changed), token)


def test_a_token_ends(asked: Question) -> None:
    token = token_of(asked)
    assert not passes(asked, token, NOW + GOOD_FOR + timedelta(seconds=1))
    assert passes(asked, token, NOW + GOOD_FOR)


@pytest.mark.parametrize("token", ["", "x", "e30:x", "a" * 5_000, "\x00", "é:é"])
def test_what_is_no_token_confirms_nothing(asked: Question, token: str) -> None:
    assert not passes(asked, token)


def test_a_token_that_was_changed_confirms_nothing(asked: Question) -> None:
    token = token_of(asked)
    body, signature = token.split(":")
    assert not passes(asked, f"{body[:-2]}AA:{signature}")
    assert not passes(asked, f"{body}:{signature[::-1]}")


def test_what_comes_to_nothing_spends_nothing(asked: Question) -> None:
    token = token_of(asked)

    def fail() -> None:
        with transaction.atomic():
            confirm(asked, token=token, now=NOW)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert passes(asked, token)


def test_of_many_at_once_one_succeeds(committed_db: PostgresServer) -> None:
    asked = Question("override", make.make_user().pk, TERMS, (FAR_OFF,))
    token = token_of(asked)

    def call() -> None:
        with transaction.atomic():
            confirm(asked, token=token, now=NOW)

    outcomes = at_once(*[call] * 8)
    assert outcomes.count(None) == 1
    assert sum(isinstance(outcome, ConfirmationRequired) for outcome in outcomes) == 7


def test_it_is_spent_with_what_it_confirms(committed_db: PostgresServer) -> None:
    asked = Question("override", make.make_user().pk, TERMS, (FAR_OFF,))
    with pytest.raises(RuntimeError, match="transaction"):
        confirm(asked, token=token_of(asked), now=NOW)
