"""What was asked is booked with its token: that question alone, of that user, for a while."""

from datetime import timedelta
from typing import Any

import pytest

from kernel.clock import clock_set
from kernel.models import Confirmation
from tests import factories as make
from tests.trades.conftest import NOW, Desk
from tests.trades.guarding import TRADES, book, booking, guard, marked, said


@pytest.fixture
def desk(desk: Desk) -> Desk:
    return marked(desk)


OTHERS: dict[str, dict[str, Any]] = {
    "quantity": {"quantity": "11"}, "price": {"price": "198.61"}, "side": {"side": "sell"},
    "note": {"note": "x"}, "account": {"account": "Test2"}, "id": {"client_trade_id": "x"},
}  # fmt: skip


@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS)
def test_another_term_is_a_new_question(desk: Desk, other: dict[str, Any]) -> None:
    guard("off_mark", account=None, warn="3")
    token = book(desk, "198.60").json()["confirm"]
    assert book(desk, **{"price": "198.60", **other, "confirm": token}).status_code == 409
    # A mismatch does not spend it.
    assert book(desk, "198.60", confirm=token).status_code == 201
    again = book(desk, "198.60", confirm=token)
    assert again.status_code == 409
    assert again.json()["confirm"] != token


def test_another_user_and_a_later_time_are_new_questions(desk: Desk) -> None:
    guard("off_mark", warn="3")
    asked = book(desk, "198.60").json()
    make.entitle(desk.outsider, desk.account, book=True)
    given = booking("198.60", confirm=asked["confirm"])
    assert desk.client("outsider").post(TRADES, given, format="json").status_code == 409
    with clock_set(NOW + timedelta(minutes=5, seconds=1)):
        assert book(desk, "198.60", confirm=asked["confirm"]).status_code == 409
    with clock_set(NOW + timedelta(minutes=5)):
        assert book(desk, "198.60", confirm=asked["confirm"]).status_code == 201
    assert Confirmation.objects.get().codes == ["off_mark"]


def test_more_codes_are_a_new_question(desk: Desk) -> None:
    guard("off_mark", warn="3")
    token = book(desk, "198.60").json()["confirm"]
    guard("large_quantity", warn="1")
    assert said(book(desk, "198.60", confirm=token)) == ["off_mark", "large_quantity"]


def test_a_repeated_id_answers_before_any_guard(desk: Desk) -> None:
    first = book(desk, "198.60", client_trade_id="x")
    guard("off_mark", warn="3", refuse="3")
    again = book(desk, "198.60", client_trade_id="x", confirm="whatever")
    assert (again.status_code, again.json()["id"]) == (200, first.json()["id"])


@pytest.mark.parametrize("confirm", [1, "", " ", "\u0000", "x" * 1001, ["x"]])
def test_what_is_no_token_is_said(desk: Desk, confirm: Any) -> None:
    answer = book(desk, confirm=confirm)
    assert (answer.status_code, answer.json()["errors"][0]["attr"]) == (400, "confirm")
    assert book(desk, confirm=None).status_code == 201
