"""CSV imports over REST, with the worker's part called as a worker calls it."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client

from blotter.live import board_rows
from eqtrade.up.postgres import PostgresServer
from tests import factories as make
from tests.trades.conftest import NOW, TODAY, Desk, make_desk
from tests.trades.importing import (
    HEADER,
    ROW,
    URL,
    counts,
    imported,
    lines,
    read,
    reasons,
    rejected,
    upload,
    work,
)
from trades.imports import run as import_running
from trades.imports.accept import Asked, import_accept
from trades.imports.retention import imports_tidy
from trades.imports.run import import_run
from trades.models import (
    ClientTradeId,
    Import,
    ImportChunk,
    LedgerEntry,
    RequestGroup,
    Trade,
    TradeVersion,
)


@pytest.fixture
def desk(committed_db: PostgresServer, noon: datetime) -> Desk:
    return make_desk()


# --- booked --------------------------------------------------------------------------------------


def test_a_file_is_booked_in_groups(desk: Desk) -> None:
    text = lines(*[f"IBM,Test1,buy,{n},2" for n in range(1, 251)])
    answer = upload(desk, text)
    accepted = answer.json()
    assert counts(accepted) == ("queued", 250, 0, 0)
    work(UUID(accepted["id"]))
    job = read(desk, accepted["id"])
    assert counts(job) == ("done", 250, 250, 0)
    assert job["rows_done"] == 250
    assert job["rows_per_second"] is None  # no time has passed on this clock
    assert [RequestGroup.objects.get(pk=g).trades for g in job["request_groups"]] == [100, 100, 50]
    listed = desk.client().get("/api/v1/trades/", {"request_group": job["request_groups"][2]})
    assert [Decimal(t["quantity"]) for t in listed.json()["results"]] == list(range(250, 200, -1))
    trade = Trade.objects.order_by("id")[0]
    assert (trade.quantity, trade.price, trade.trade_date, trade.booked_by) == (
        1, 2, TODAY, desk.trader,
    )  # fmt: skip
    assert Trade.objects.count() == TradeVersion.objects.count() == LedgerEntry.objects.count()


def test_a_file_is_looked_through_before_the_ledgers_horizon_is_held(desk: Desk) -> None:
    """A transaction that has written holds it, and nobody's positions move meanwhile."""
    passes: list[bool] = []

    def file() -> Iterator[bytes]:
        passes.append(connection.in_atomic_block)
        yield lines(ROW, ROW).encode()

    job, _ = import_accept(
        user=desk.trader, file_name="x.csv", read=file, asked=Asked(100, dry_run=False), now=NOW
    )
    *before, last = passes
    assert last
    assert not any(before)
    work(job.pk)
    assert counts(read(desk, str(job.pk))) == ("done", 2, 2, 0)


def test_a_right_that_is_taken_away_ends_at_the_next_piece(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_running, "PIECE_ROWS", 2)
    import_id = upload(desk, lines(*[ROW] * 6), group_size="2").json()["id"]
    import_run(UUID(import_id), turn_seconds=0)
    desk.trader.entitlements.update(can_view=False, can_book=False)
    work(UUID(import_id))
    assert counts(read(desk, import_id)) == ("done", 6, 2, 4)


# --- refused as a whole --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty"), (b"\n\n", "empty"), (HEADER.encode(), "empty"),
        (b"PK\x03\x04" + b"x" * 50, "not_csv"), (lines(ROW + "\x00").encode(), "nul"),
        (lines("IBM,M\u00fcller,buy,1,2").encode() + b"\xff", "not_utf8"),
        (lines(header="ticker,account,side,quantity").encode(), "missing_column"),
        (lines(header=HEADER + ",colour").encode(), "unknown_column"),
        (lines(header=HEADER + ",Price").encode(), "column_twice"),
        (lines("x" * 20_000).encode(), "line_too_long"),
        (lines("IBM,\u00fc,buy,1,2", *[ROW] * 60_000).encode() + b"\xff", "not_utf8"),
    ],
    ids=lambda v: repr(v)[:30],
)  # fmt: skip
def test_a_file_that_is_no_csv_of_trades(desk: Desk, data: bytes, code: str) -> None:
    answer = upload(desk, data)
    assert answer.status_code == 400, answer.content
    assert [(e["attr"], e["code"]) for e in answer.json()["errors"]] == [("file", code)]
    assert not Import.objects.exists()


@pytest.mark.parametrize(
    ("more", "attr"),
    [({"group_size": "0"}, "group_size"), ({"group_size": "10001"}, "group_size"),
     ({"group_size": "x"}, "group_size"), ({"group_size": "1.5"}, "group_size"),
     ({"dry_run": "maybe"}, "dry_run"), ({"colour": "red"}, "colour")],
    ids=repr,
)  # fmt: skip
def test_what_is_wrong_beside_the_file(desk: Desk, more: dict[str, str], attr: str) -> None:
    answer = upload(desk, lines(ROW), **more)
    assert answer.status_code == 400
    assert [e["attr"] for e in answer.json()["errors"]] == [attr]


def test_no_file_another_type_and_a_file_too_large(desk: Desk, settings: Any) -> None:
    client = desk.client()
    assert client.post(URL, {}, format="multipart").json()["errors"][0]["attr"] == "file"
    assert client.post(URL, {"file": "text"}, format="multipart").status_code == 400
    assert client.post(URL, {"file": "x"}, format="json").status_code == 415
    broken = client.post(URL, b"--x\r\nno", content_type="multipart/form-data; boundary=x")
    assert broken.status_code == 400
    settings.IMPORT_MAX_BYTES = 1000
    # The envelope is generous; the file is not.
    for size in (2_000, 200_000):
        answer = upload(desk, lines(*[ROW] * (size // len(ROW))))
        assert answer.status_code == 413
        assert answer.json()["errors"][0]["code"] == "payload_too_large"
    assert not Import.objects.exists()


def test_what_pages_are_told_of_an_import_has_no_endless_list(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(board_rows, "MAX_GROUPS_TOLD", 2)
    few = imported(desk, lines(*[ROW] * 4), group_size="2")
    many = imported(desk, lines(*[ROW] * 5), group_size="2")
    told = board_rows.read_imports([few["id"], many["id"]])
    assert told[few["id"]] == few
    assert len(many["request_groups"]) == 3
    assert told[many["id"]] == {k: v for k, v in many.items() if k != "request_groups"}


# --- dry run -------------------------------------------------------------------------------------


def test_a_dry_run_says_the_same_and_books_nothing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_running, "PIECE_ROWS", 2)
    text = lines(
        "IBM,Test4,buy,5,2,a", "NOPE,Test1,buy,1,2,", "IBM,Test4,sell,3,2,", "IBM,Test4,buy,5,x,b",
        "IBM,Test4,sell,3,2,", "IBM,Test1,sell,3,2,", "IBM,Test4,sell,2,2,",
        header=HEADER + ",client_trade_id",
    )  # fmt: skip
    dry = imported(desk, text, dry_run="true", group_size="2")
    assert counts(dry) == ("done", 7, 0, 3)
    assert dry["rows_done"] == 7
    assert dry["dry_run"] is True
    assert dry["request_groups"] == []
    for table in (Trade, TradeVersion, LedgerEntry, RequestGroup, ClientTradeId):
        assert not table.objects.exists()
    wet = imported(desk, text, group_size="2")
    assert counts(wet) == ("done", 7, 4, 3)
    assert set(reasons(desk, wet["id"])) == set(reasons(desk, dry["id"])) == {3, 5, 6}
    undo = desk.client().post(f"{URL}{dry['id']}/undo/", {"reason": "x"}, format="json")
    assert undo.status_code == 409


def test_in_a_dry_run_a_refused_row_leaves_its_own_id_free_too(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_running, "PIECE_ROWS", 1)
    text = lines(
        "IBM,Test4,sell,6,2,x", "IBM,Test4,buy,5,2,", "IBM,Test4,sell,5,2,y",
        "IBM,Test4,sell,5,2,z", header=HEADER + ",client_trade_id",
    )  # fmt: skip
    dry = imported(desk, text, dry_run="true", group_size="1")
    wet = imported(desk, text, group_size="1")
    assert set(reasons(desk, wet["id"])) == set(reasons(desk, dry["id"])) == {2, 5}
    again = imported(desk, lines("IBM,Test1,sell,6,2,x", header=HEADER + ",client_trade_id"))
    assert counts(again) == ("done", 1, 1, 0)


# --- who sees what -------------------------------------------------------------------------------


def test_an_import_is_its_users_own(desk: Desk) -> None:
    job = imported(desk, lines(ROW))
    viewer = desk.client("viewer")
    for path in ("", "errors.csv"):
        assert viewer.get(f"{URL}{job['id']}/{path}").status_code == 404
    assert viewer.post(f"{URL}{job['id']}/undo/", {"reason": "x"}, format="json").status_code == 404
    assert viewer.get(URL).json()["results"] == []
    assert [j["id"] for j in desk.client().get(URL).json()["results"]] == [job["id"]]
    boss = make.client_of(make.make_user("boss", is_superuser=True))
    assert [j["id"] for j in boss.get(URL).json()["results"]] == [job["id"]]
    assert desk.client().get(f"{URL}{uuid4()}/").status_code == 404


def test_the_list_is_paged(desk: Desk) -> None:
    ids = [upload(desk, lines(ROW), again="1").json()["id"] for _ in range(5)][::-1]
    client = desk.client()
    first = client.get(URL, {"page_size": 2}).json()
    second = client.get(first["next"]).json()
    assert [j["id"] for j in [*first["results"], *second["results"]]] == ids[:4]
    back = client.get(second["previous"]).json()
    assert [j["id"] for j in back["results"]] == ids[:2]


def test_files_go_after_a_while_and_what_they_booked_stays(desk: Desk) -> None:
    old, waiting = imported(desk, lines(ROW, "x")), upload(desk, lines(ROW)).json()
    assert imports_tidy(now=NOW + timedelta(days=90)) == 0
    assert imports_tidy(now=NOW + timedelta(days=91)) == 1
    assert list(ImportChunk.objects.values_list("import_job", flat=True)) == [UUID(waiting["id"])]
    assert counts(read(desk, old["id"])) == ("done", 2, 1, 1)
    assert len(rejected(desk, old["id"])) == 1  # the header
    desk.client().post(f"{URL}{old['id']}/undo/", {"reason": "x"}, format="json")
    work(UUID(old["id"]))
    assert read(desk, old["id"])["state"] == "undone"


# --- the admin -----------------------------------------------------------------------------------


def test_the_admin_shows_imports_and_groups_and_changes_nothing(desk: Desk) -> None:
    job = imported(desk, lines(ROW, "NOPE,Test1,buy,1,2"))
    group = job["request_groups"][0]
    boss = Client()
    boss.force_login(make.make_user("boss", is_superuser=True, is_staff=True))
    pages = {
        "/admin/trades/import/": "trades.csv",
        f"/admin/trades/import/{job['id']}/change/": f"{job['id']}/errors.csv",
        "/admin/trades/requestgroup/": group,
        f"/admin/trades/requestgroup/?import_job__id__exact={job['id']}": group,
        f"/admin/trades/requestgroup/?q={group}": group,
        f"/admin/trades/requestgroup/{group}/change/": f"?q={group}",
    }
    for path, word in pages.items():
        answer = boss.get(path)
        assert answer.status_code == 200, path
        assert word in answer.content.decode(), path
    for path in ("import/add/", f"import/{job['id']}/delete/", "requestgroup/add/"):
        assert boss.get(f"/admin/trades/{path}").status_code == 403
    answer = boss.post(f"/admin/trades/import/{job['id']}/change/", {"state": "queued"})
    assert answer.status_code == 403
    clerk = make.make_user("clerk", is_staff=True)
    clerk.user_permissions.add(*Permission.objects.filter(codename__startswith="view_"))
    other = Client()
    other.force_login(clerk)
    for path in ("/admin/trades/import/", "/admin/trades/requestgroup/"):
        page = other.get(path).content.decode()
        assert "trades.csv" not in page
        assert group not in page
