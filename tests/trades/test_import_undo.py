"""Undo of imports: all of it or nothing, as versions, and who may."""

import json
from datetime import datetime
from decimal import Decimal
from itertools import pairwise
from typing import Any
from uuid import UUID

import pytest

from eqtrade.up.postgres import PostgresServer
from tests import factories as make
from tests.trades.conftest import NOW, Desk, make_desk
from tests.trades.importing import (
    HEADER,
    ROW,
    URL,
    counts,
    imported,
    lines,
    read,
    upload,
    work,
)
from trades.imports.lease import MAX_ATTEMPTS
from trades.imports.run import import_run
from trades.models import Import, LedgerEntry, Trade, TradeVersion
from trades.services.correction import trade_amend
from trades.terms import Amendment


@pytest.fixture
def desk(committed_db: PostgresServer, noon: datetime) -> Desk:
    return make_desk()


def undo(desk: Desk, import_id: str, who: str = "trader", **body: Any) -> Any:
    path = f"{URL}{import_id}/undo/"
    answer = desk.client(who).post(
        path, json.dumps(body or {"reason": "wrong file"}), content_type="application/json"
    )
    if answer.status_code == 202:
        work(UUID(import_id))
    return answer


def sums_are_nil() -> None:
    entries = LedgerEntry.objects.values_list("quantity", "notional", "trades")
    assert [sum(column) for column in zip(*entries, strict=True)] == [0, 0, 0]


def test_an_undo_cancels_every_trade_as_a_version(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [f"IBM,{a},buy,{n},2.5" for a in ("Test1", "Test4", "Test2") for n in range(1, 5)]
    job = imported(desk, lines(*rows), group_size="3")
    other = imported(desk, lines(ROW))
    monkeypatch.setattr("trades.imports.undo.PIECE_TRADES", 3)
    answer = undo(desk, job["id"])
    assert answer.status_code == 202
    assert (answer.json()["state"], answer.json()["undo_reason"]) == ("running", "wrong file")
    after = read(desk, job["id"])
    assert (after["state"], after["trades_cancelled"], after["rows_booked"]) == ("undone", 12, 12)
    assert (after["undone_by"], after["undo_reason"]) == ("trader", "wrong file")
    mine = Trade.objects.filter(request_group__in=job["request_groups"])
    assert {(t.status, t.version) for t in mine} == {("cancelled", 2)}
    versions = TradeVersion.objects.filter(version=2)
    assert {(v.status, v.reason, v.actor) for v in versions} == {
        ("cancelled", "wrong file", desk.trader)
    }
    assert len(versions) == 12
    assert Trade.objects.get(request_group=other["request_groups"][0]).status == "booked"
    undo(desk, other["id"])
    sums_are_nil()
    assert undo(desk, job["id"]).json()["errors"][0]["code"] == "not_undoable"


def test_an_undo_of_buys_that_were_sold_since_is_refused_whole(desk: Desk) -> None:
    job = imported(desk, lines("IBM,Test4,buy,10,2", "IBM,Test1,buy,10,2"))
    sale = {"account": "Test4", "ticker": "IBM", "side": "sell", "quantity": "4", "price": "2"}
    sold = desk.client().post("/api/v1/trades/", sale, format="json").json()
    answer = undo(desk, job["id"])
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["code"] == "short_position"
    assert {t.status for t in Trade.objects.all()} == {"booked"}
    assert read(desk, job["id"])["state"] == "done"
    desk.client().post(
        f"/api/v1/trades/{sold['id']}/cancel/", {"version": 1, "reason": "x"}, format="json"
    )
    assert undo(desk, job["id"]).status_code == 202
    sums_are_nil()


def test_an_undo_is_judged_by_its_end_result(desk: Desk) -> None:
    """Its buys alone could not be cancelled, for its own sells rest on them."""
    job = imported(desk, lines("IBM,Test4,buy,10,2", "IBM,Test4,sell,10,2"))
    assert undo(desk, job["id"]).status_code == 202
    sums_are_nil()


def test_a_sale_that_comes_between_asking_and_doing_stops_the_undo(desk: Desk) -> None:
    job = imported(desk, lines("IBM,Test4,buy,10,2", "IBM,Test1,buy,10,2"))
    path = f"{URL}{job['id']}/undo/"
    assert desk.client().post(path, {"reason": "x"}, format="json").status_code == 202
    sale = {"account": "Test4", "ticker": "IBM", "side": "sell", "quantity": "4", "price": "2"}
    desk.client().post("/api/v1/trades/", sale, format="json")
    work(UUID(job["id"]))
    after = read(desk, job["id"])
    assert (after["state"], after["trades_cancelled"]) == ("done", 0)
    assert "may not go short" in after["error"]
    assert {t.status for t in Trade.objects.all()} == {"booked"}


def test_a_failed_import_whose_undo_is_refused_or_given_up_is_still_failed(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trades.imports.run.PIECE_ROWS", 1)
    job = upload(desk, lines("IBM,Test4,buy,10,2", ROW), group_size="1").json()
    import_run(UUID(job["id"]), turn_seconds=0)
    Import.objects.update(attempts=MAX_ATTEMPTS)
    work(UUID(job["id"]))
    assert counts(read(desk, job["id"])) == ("failed", 2, 1, 0)
    path = f"{URL}{job['id']}/undo/"
    assert desk.client().post(path, {"reason": "x"}, format="json").status_code == 202
    sale = {"account": "Test4", "ticker": "IBM", "side": "sell", "quantity": "4", "price": "2"}
    sold = desk.client().post("/api/v1/trades/", sale, format="json").json()
    work(UUID(job["id"]))
    after = read(desk, job["id"])
    assert (after["state"], after["error"][:10]) == ("failed", "Not undone")
    desk.client().post(
        f"/api/v1/trades/{sold['id']}/cancel/", {"version": 1, "reason": "x"}, format="json"
    )
    assert desk.client().post(path, {"reason": "x"}, format="json").status_code == 202
    Import.objects.update(attempts=MAX_ATTEMPTS)
    work(UUID(job["id"]))
    after = read(desk, job["id"])
    assert (after["state"], after["error"][:8]) == ("failed", "Given up")
    assert undo(desk, job["id"]).status_code == 202
    assert read(desk, job["id"])["state"] == "undone"


def test_a_large_group_is_undone_in_pieces(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trades.imports.undo.PIECE_TRADES", 3)
    job = imported(desk, lines(*[ROW] * 10), group_size="8")
    path = f"{URL}{job['id']}/undo/"
    assert desk.client().post(path, {"reason": "x"}, format="json").status_code == 202
    done = [0]
    while read(desk, job["id"])["state"] == "running":
        import_run(UUID(job["id"]), turn_seconds=0)
        done.append(read(desk, job["id"])["trades_cancelled"])
    assert done[-1] == 10
    assert max(after - before for before, after in pairwise(done)) == 3
    sums_are_nil()


def test_trades_amended_moved_or_cancelled_since_are_undone_as_they_stand(desk: Desk) -> None:
    job = imported(desk, lines(*["IBM,Test1,buy,10,2"] * 3))
    one, two, _ = Trade.objects.order_by("id")
    for trade, terms in ((one, Amendment(price=Decimal(7))), (two, Amendment(account="Test4"))):
        trade_amend(
            user=desk.trader, trade_id=trade.pk, version=1, reason="x", terms=terms, now=NOW
        )
    desk.client().post(
        f"/api/v1/trades/{one.pk}/cancel/", {"version": 2, "reason": "x"}, format="json"
    )
    undo(desk, job["id"])
    assert read(desk, job["id"])["trades_cancelled"] == 2
    assert {t.status for t in Trade.objects.all()} == {"cancelled"}
    sums_are_nil()


def test_undo_needs_the_right_to_book_or_correct_each_trade(desk: Desk) -> None:
    """One's own trades on their trade date with can_book, else can_correct."""
    text = lines(f"{ROW},2026-03-17", header=HEADER + ",trade_date")
    job = imported(desk, text)
    assert undo(desk, job["id"]).status_code == 403
    desk.trader.entitlements.filter(account=desk.account).update(can_correct=True)
    assert undo(desk, job["id"]).status_code == 202
    moved = imported(desk, lines(ROW))
    hidden = make.make_account("Hidden")
    Trade.objects.filter(request_group=moved["request_groups"][0]).update(account=hidden)
    answer = undo(desk, moved["id"])
    assert answer.status_code == 403
    assert "Hidden" not in answer.content.decode()


def test_who_may_correct_everything_it_booked_may_undo_it(desk: Desk) -> None:
    """Whoever uploaded it; who may only view, or not correct everywhere, does not see it."""
    make.entitle(desk.outsider, desk.account, correct=True)
    text = lines(ROW, "IBM,Test2,buy,1,2", "IBM,Secret,buy,1,2")
    job = imported(desk, text)
    for who in ("viewer", "outsider"):
        assert undo(desk, job["id"], who).status_code == 404
        assert desk.client(who).get(f"{URL}{job['id']}/").status_code == 404
    make.entitle(desk.outsider, desk.other, correct=True)
    assert counts(read(desk, job["id"], "outsider")) == ("done", 3, 2, 1)
    # The rejected rows are the uploader's own words.
    assert desk.client("outsider").get(f"{URL}{job['id']}/errors.csv").status_code == 404
    assert undo(desk, job["id"], "outsider").status_code == 202
    after = read(desk, job["id"], "outsider")
    assert (after["state"], after["undone_by"], after["trades_cancelled"]) == (
        "undone",
        "outsider",
        2,
    )
    nothing = imported(desk, lines("NOPE,Test1,buy,1,2"))
    assert desk.client("outsider").get(f"{URL}{nothing['id']}/").status_code == 404


@pytest.mark.parametrize("body", [{"reason": ""}, {"why": "x"}, {"reason": "x" * 201}], ids=repr)
def test_an_undo_needs_a_reason(desk: Desk, body: dict[str, str]) -> None:
    job = imported(desk, lines(ROW))
    assert undo(desk, job["id"], **body).status_code == 400
    assert Trade.objects.get().status == "booked"


def test_what_runs_cannot_be_undone_yet(desk: Desk) -> None:
    import_id = upload(desk, lines(ROW)).json()["id"]
    answer = undo(desk, import_id)
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (409, "not_undoable")
