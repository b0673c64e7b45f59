"""CSV imports over REST, with the worker's part called as a worker calls it."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
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
    errors_csv,
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


def test_all_columns_the_reference_systems_names_and_excels_habits(desk: Desk) -> None:
    text = (
        "\ufeffID,Ticker,Account,Buy Or Sell,Shares,Price,Booked_At,Note,Request_Group,Trade Date"
        "\r\n"
        'a-1,IBM,Test1,Buy,10,143.50,2026-03-17 10:30:00,"a ""quoted"", note",x,\r\n'
        "\r\n"
        ",IBM,Test2,SELL,2.5,.5,2026-03-16T20:00:00Z,,,2026-03-17\r\n"
    )
    job = imported(desk, text)
    assert counts(job) == ("done", 2, 2, 0), rejected(desk, job["id"])
    # Booked in the order in which they were executed.
    two, one = Trade.objects.order_by("id")
    assert (one.client_trade_id, one.note, one.side) == ("a-1", 'a "quoted", note', "buy")
    assert one.executed_at == datetime.fromisoformat("2026-03-17T14:30Z")
    assert one.trade_date == two.trade_date == date(2026, 3, 17)
    assert (two.client_trade_id, two.side, two.quantity) == (None, "sell", Decimal("2.5"))


def test_rows_that_cannot_be_booked_are_reported_and_the_others_booked(desk: Desk) -> None:
    bad = {
        3: ("NOPE,Test1,buy,1,2", "ticker: This ticker is not known."),
        4: ("IBM,Nope,buy,1,2", "account: You have no account of this code."),
        5: ("IBM,Test1,hold,1,2", "side: This must be buy or sell."),
        6: ("IBM,Test1,buy,-1,2", "quantity: The side says buy"),
        7: ("IBM,Test1,buy,1,000,2", "thousands separators"),
        8: ("IBM,Test1,buy,1e3,2", "quantity: This is written with an exponent"),
        9: ("IBM,Test1,buy,1 x,2", "quantity: This must be a plain decimal"),
        10: ("IBM,Test1,buy,-0,2", "quantity: This must be greater than 0."),
        11: ("IBM,Test1,buy,1", "only 4 cells"),
        12: ("IBM,Test1,buy,2,€2", "price: This is not in US dollars."),
        13: ("IBM,Test1,buy,,2", "quantity"),
        14: (",Test1,buy,1,2", "ticker: This field may not be blank."),
        15: ('IBM,Test1,buy,1,"2', "never closed"),
        16: ("IBM,Te\x07st1,buy,1,2", "Control characters"),
        17: ("IBM,Test1,buy,1_0,１２", "quantity: This must be a plain decimal"),
        18: ("IBM,Test1,buy,Infinity,NaN", "price: This must be a plain decimal"),
        19: ("IBM,Test1,buy," + "9" * 21 + ",1", "quantity: This"),
        20: ("IBM,Test1,buy,1.00000000001,1000000001", "at most 1,000,000,000"),
    }
    text = lines(ROW, *[row for row, _ in bad.values()], ROW)
    job = imported(desk, text)
    assert counts(job) == ("done", len(bad) + 2, 2, len(bad))
    said = reasons(desk, job["id"])
    assert set(said) == set(bad)
    for line, (_, word) in bad.items():
        assert word in said[line], (line, said[line])
    head, first, *_ = rejected(desk, job["id"])
    assert head == ["rejected_line", "rejected_because", *HEADER.split(",")]
    assert first[2:] == ["NOPE", "Test1", "buy", "1", "2"]


def test_the_file_of_rejected_rows_can_be_mended_and_sent_again(desk: Desk) -> None:
    job = imported(desk, lines("NOPE,Test1,buy,1,2", ROW))
    mended = errors_csv(desk, job["id"]).replace("NOPE", "IBM")
    assert counts(imported(desk, mended)) == ("done", 1, 1, 0)


@pytest.mark.parametrize("accept", ["text/csv", "text/html", "*/*"])
def test_the_file_of_rejected_rows_whatever_is_accepted(desk: Desk, accept: str) -> None:
    job = imported(desk, lines("NOPE,Test1,buy,1,2"))
    client = desk.client()
    answer = client.get(f"{URL}{job['id']}/errors.csv", headers={"accept": accept})
    assert (answer.status_code, answer["Content-Type"]) == (200, "text/csv; charset=utf-8")
    missing = client.get(f"{URL}{uuid4()}/errors.csv", headers={"accept": accept})
    assert (missing.status_code, missing.json()["type"]) == (404, "client_error")


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


def test_dates_and_times_are_judged_as_of_the_upload(desk: Desk) -> None:
    text = lines(
        f"{ROW},2026-03-19,", f"{ROW},2026-03-15,", f"{ROW},,2026-03-18T17:00:00Z", f"{ROW},,noon",
        f"{ROW},2026-03-16,", header=HEADER + ",trade_date,executed_at",
    )  # fmt: skip
    job = imported(desk, text)
    assert counts(job) == ("done", 5, 1, 4)
    assert Trade.objects.get().trade_date == date(2026, 3, 16)


def test_own_ids_book_once_across_files(desk: Desk) -> None:
    header = HEADER + ",client_trade_id"
    job = imported(desk, lines(f"{ROW},a", f"{ROW},b", header=header))
    assert counts(job) == ("done", 2, 2, 0)
    again = imported(desk, lines(f"{ROW},a", f"{ROW},c", "IBM,Test1,buy,99,1,b", header=header))
    assert counts(again) == ("done", 3, 1, 2)
    assert "before" in reasons(desk, again["id"])[2]
    assert "other terms" in reasons(desk, again["id"])[4]
    assert Trade.objects.count() == ClientTradeId.objects.count() == 3


def test_rows_that_share_an_id_are_refused_together(desk: Desk) -> None:
    """Whether they are one trade or several, the file does not say."""
    header = HEADER + ",client_trade_id"
    text = lines(f"{ROW},a", f"{ROW},b", f"{ROW},a", "IBM,Test2,buy,1,1,a", header=header)
    job = imported(desk, text)
    assert counts(job) == ("done", 4, 2, 2)
    said = reasons(desk, job["id"])
    assert set(said) == {2, 4}
    assert "several rows" in said[2]
    # Of a column of that name alone it is not known.
    orders = imported(desk, lines(*[f"{ROW},a"] * 3, header=HEADER + ",ID"))
    assert counts(orders) == ("done", 3, 3, 0)
    assert orders["reading"]["columns_passed_over"] == ["ID"]
    mapped = imported(
        desk, lines(*[f"{ROW},x"] * 3, header=HEADER + ",ID"), mapping='{"ID": "client_trade_id"}'
    )
    assert counts(mapped) == ("done", 3, 0, 3)


def test_a_refused_row_leaves_its_own_id_free(desk: Desk) -> None:
    header = HEADER + ",client_trade_id"
    job = imported(desk, lines("IBM,Test4,sell,5,2,x", "IBM,Test4,sell,5,2,y", header=header))
    assert counts(job) == ("done", 2, 0, 2)
    assert all("may not go short" in reason for reason in reasons(desk, job["id"]).values())
    assert not ClientTradeId.objects.exists()
    text = lines("IBM,Test4,buy,5,2,y", "IBM,Test4,sell,5,2,x", header=header)
    assert counts(imported(desk, text)) == ("done", 2, 2, 0)


def test_rows_count_in_order_where_short_is_not_allowed(desk: Desk) -> None:
    rows = ["IBM,Test4,sell,5,2", "IBM,Test4,buy,5,2", "IBM,Test4,sell,3,2", "IBM,Test4,sell,3,2",
            "IBM,Test4,sell,2,2"]  # fmt: skip
    job = imported(desk, lines(*rows))
    assert counts(job) == ("done", 5, 3, 2)
    assert set(reasons(desk, job["id"])) == {2, 5}


def test_accounts_that_one_may_only_view_or_not_see(desk: Desk) -> None:
    make.entitle(desk.viewer, desk.other, book=True)
    answer = upload(desk, lines(ROW, "IBM,Test2,buy,1,1", "IBM,Test4,buy,1,1"), "viewer")
    work(UUID(answer.json()["id"]))
    job = read(desk, answer.json()["id"], "viewer")
    assert counts(job) == ("done", 3, 1, 2)
    said = {r.line: r.reason for r in Import.objects.get().rejections.all()}
    assert "may not book" in said[2]
    assert "no account" in said[4]
    assert "may not" not in said[4]


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
