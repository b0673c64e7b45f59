"""POST /api/v1/trades/bulk/ again, and many times at once: every trade is booked once."""

from datetime import datetime
from typing import Any
from uuid import uuid4

import pytest

from accounts.models import Account
from tests import factories as make
from tests.at_once import at_once
from tests.trades.conftest import NOW, TODAY, Desk, make_desk
from tests.trades.test_booking import terms
from tests.trades.test_bulk import bulk, mine
from trades.models import ClientTradeId, LedgerEntry, Trade
from trades.services.bulk import BulkBooked, RequestGroupTaken, trades_bulk_book


def test_the_same_group_again_books_nothing_and_gives_the_same_ids(desk: Desk) -> None:
    rows = [terms(), terms(side="sell", client_trade_id="a"), terms(price="2"), terms()]
    first = bulk(desk, *rows, request_group=str(uuid4()))
    again = bulk(desk, *rows, request_group=first.json()["request_group"].upper())
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert Trade.objects.count() == LedgerEntry.objects.count() == 4
    # By value: the same numbers written otherwise.
    rows[0] = terms(quantity="10.00", price=143.50)
    assert bulk(desk, *rows, request_group=first.json()["request_group"]).status_code == 200


@pytest.mark.parametrize(
    "change",
    [{"price": "3"}, {"client_trade_id": "z"}, {"note": "n"}, {"trade_date": "2026-03-18"}],
    ids=repr,
)
def test_the_same_group_with_other_trades_is_a_conflict(desk: Desk, change: dict[str, str]) -> None:
    group = str(uuid4())
    bulk(desk, terms(), request_group=group)
    for rows in ([terms(**change)], [terms(), terms()]):
        answer = bulk(desk, *rows, request_group=group)
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (
            409, "request_group_taken",
        )  # fmt: skip
    assert Trade.objects.count() == 1


def test_somebody_elses_group_is_a_conflict_and_tells_nothing(desk: Desk) -> None:
    group = str(uuid4())
    bulk(desk, terms(account="Test2"), request_group=group)
    make.entitle(desk.outsider, desk.other, book=True)
    answer = bulk(desk, terms(account="Test2"), request_group=group, who="outsider")
    assert answer.status_code == 409
    assert "ids" not in answer.json()


def test_a_refused_batch_may_be_sent_again_under_its_group(desk: Desk) -> None:
    group = str(uuid4())
    assert bulk(desk, terms(ticker="NOPE"), request_group=group).status_code == 400
    assert bulk(desk, terms(), request_group=group).status_code == 201


def test_rows_booked_before_by_their_own_id_are_not_booked_again(desk: Desk) -> None:
    single = desk.client().post("/api/v1/trades/", terms(client_trade_id="a"), format="json")
    answer = bulk(desk, terms(client_trade_id="a"), terms(client_trade_id="b"))
    assert answer.status_code == 201
    assert answer.json()["booked"] == 1
    assert answer.json()["ids"][0] == single.json()["id"]
    retry = desk.client().post("/api/v1/trades/", terms(client_trade_id="b"), format="json")
    assert (retry.status_code, retry.json()["id"]) == (200, answer.json()["ids"][1])
    assert Trade.objects.count() == 2
    again = bulk(
        desk, terms(client_trade_id="a"), terms(client_trade_id="b"),
        request_group=answer.json()["request_group"],
    )  # fmt: skip
    assert (again.status_code, again.json()) == (200, answer.json())


def test_an_own_id_taken_by_other_terms_refuses_the_batch(desk: Desk) -> None:
    bulk(desk, terms(client_trade_id="a"))
    answer = bulk(desk, terms(), terms(client_trade_id="a", price="9"))
    assert answer.status_code == 409
    assert answer.json()["errors"][0]["code"] == "client_trade_id_taken"
    assert "Row 1" in answer.json()["errors"][0]["detail"]
    assert Trade.objects.count() == 1


def test_the_same_own_id_twice_in_a_batch_is_one_trade(desk: Desk) -> None:
    answer = bulk(desk, *[terms(client_trade_id="a")] * 2)
    assert answer.json()["booked"] == 1
    assert len(set(answer.json()["ids"])) == 1
    mixed = bulk(desk, terms(client_trade_id="b"), terms(client_trade_id="b", price="9"))
    assert mixed.status_code == 409
    assert Trade.objects.count() == ClientTradeId.objects.count() == 1


def test_the_same_own_id_twice_may_leave_out_a_default(desk: Desk) -> None:
    """Compared in the fields that the row sends, as a retry of a single booking is."""
    long = terms(client_trade_id="a", trade_date=TODAY.isoformat(), note="")
    for rows in ([long, terms(client_trade_id="a")], [terms(client_trade_id="b"), long]):
        rows = [{**row, "client_trade_id": rows[0]["client_trade_id"]} for row in rows]
        answer = bulk(desk, *rows)
        assert (answer.status_code, answer.json()["booked"]) == (201, 1), answer.content
        assert len(set(answer.json()["ids"])) == 1
        # Once more, now that both rows were booked before.
        again = bulk(desk, *rows[::-1])
        assert (again.status_code, again.json()["booked"]) == (201, 0)
    for other in ({"note": "x"}, {"trade_date": "2026-03-17"}, {"side": "sell"}):
        answer = bulk(desk, terms(client_trade_id="c"), terms(client_trade_id="c", **other))
        assert answer.status_code == 409, other
    assert Trade.objects.count() == 2


def test_the_same_group_again_after_the_account_was_renamed(desk: Desk) -> None:
    group = str(uuid4())
    single = desk.client().post("/api/v1/trades/", terms(client_trade_id="a"), format="json")
    rows = [terms(client_trade_id="a"), terms(), terms(client_trade_id="b")]
    first = bulk(desk, *rows, request_group=group)
    assert first.json()["ids"][0] == single.json()["id"]
    Account.objects.filter(pk=desk.account.pk).update(code="Renamed")
    again = bulk(desk, *rows, request_group=group)
    assert (again.status_code, again.json()) == (200, first.json())


def test_a_trade_that_moved_out_of_sight_is_not_shown(desk: Desk) -> None:
    trade = bulk(desk, terms(client_trade_id="x")).json()["ids"][0]
    Trade.objects.filter(pk=trade).update(account=make.make_account("Hidden"))
    answer = bulk(desk, terms(client_trade_id="x"))
    assert answer.status_code == 409
    assert "Hidden" not in answer.content.decode()
    assert trade not in answer.content.decode()


# --- at once -------------------------------------------------------------------------------------


@pytest.fixture
def committed_desk(committed_db: None, noon: datetime) -> Desk:
    return make_desk()


def test_equal_requests_at_once_book_once(committed_desk: Desk) -> None:
    group, rows = uuid4(), [terms(), terms(client_trade_id="a")]

    def book() -> BulkBooked:
        return trades_bulk_book(user=committed_desk.trader, rows=rows, request_group=group, now=NOW)

    results = at_once(*[book] * 8)
    assert all(isinstance(r, BulkBooked) for r in results), results
    booked = [r for r in results if isinstance(r, BulkBooked)]
    assert sum(b.is_new for b in booked) == 1
    assert len({tuple(b.ids) for b in booked}) == 1
    assert Trade.objects.count() == LedgerEntry.objects.count() == 2


def test_the_same_group_for_other_trades_at_once(committed_desk: Desk) -> None:
    group = uuid4()

    def book(price: str) -> Any:
        return lambda: trades_bulk_book(
            user=committed_desk.trader, rows=[terms(price=price)], request_group=group, now=NOW
        )

    results = at_once(*[book(str(n)) for n in range(1, 7)])
    assert sum(isinstance(r, BulkBooked) for r in results) == 1
    assert sum(isinstance(r, RequestGroupTaken) for r in results) == 5
    assert Trade.objects.count() == 1


def test_own_ids_in_opposite_orders_at_once_do_not_block_each_other(committed_desk: Desk) -> None:
    rows = [terms(client_trade_id=f"{n:03}") for n in range(300)]

    def book(mine: list[dict[str, Any]]) -> Any:
        return lambda: trades_bulk_book(
            user=committed_desk.trader, rows=mine, request_group=None, now=NOW
        )

    results = at_once(*[book(rows), book(rows[::-1])] * 3)
    booked = [r for r in results if isinstance(r, BulkBooked)]
    assert len(booked) == 6, results
    assert sum(b.booked for b in booked) == Trade.objects.count() == 300


def test_racing_batches_never_go_short(committed_desk: Desk) -> None:
    def book(*rows: dict[str, Any]) -> Any:
        return lambda: trades_bulk_book(
            user=committed_desk.trader, rows=rows, request_group=None, now=NOW
        )

    book(mine("buy", "50"))()
    results = at_once(*[book(mine("sell", "5"), mine("sell", "5"))] * 8)
    assert sum(isinstance(r, BulkBooked) for r in results) == 5
    entries = LedgerEntry.objects.values_list("quantity", flat=True)
    assert sum(entries) == 0


def test_batches_with_the_same_ids_in_other_orders_do_not_block_each_other(
    committed_desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many statements a batch takes: its ids are claimed in one order over all of them."""
    monkeypatch.setattr("trades.services.recording.PIECE_TRADES", 1)
    rows = [terms(client_trade_id=f"x{n}") for n in range(30)]

    def book(these: list[dict[str, Any]]) -> Any:
        user = committed_desk.trader
        return lambda: trades_bulk_book(user=user, rows=these, request_group=None, now=NOW)

    results = at_once(book(rows), book(rows[::-1]))
    assert [type(result) for result in results] == [BulkBooked, BulkBooked]
    assert sum(result.booked for result in results if isinstance(result, BulkBooked)) == 30
    assert Trade.objects.count() == ClientTradeId.objects.count() == 30
