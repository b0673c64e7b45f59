"""CSV imports over REST, with the worker's part called as a worker calls it."""

import csv
import io
import json
import time
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.contrib.auth.models import Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from psycopg import connect

from eqtrade.up.postgres import PostgresServer
from tests import factories as make
from tests.trades.conftest import NOW, TODAY, Desk, make_desk
from trades.csvfile import records
from trades.models import ClientTradeId, Import, LedgerEntry, RequestGroup, Trade, TradeVersion
from trades.services import import_accepting, import_lease, import_running
from trades.services.correction import Terms, trade_amend
from trades.services.import_running import import_run

URL = "/api/v1/trades/imports/"
HEADER = "ticker,account,side,quantity,price"
ROW = "IBM,Test1,buy,10,143.5"


@pytest.fixture
def desk(committed_db: PostgresServer, noon: datetime) -> Desk:
    return make_desk()


def upload(desk: Desk, text: str | bytes, who: str = "trader", **more: str) -> Any:
    data = text.encode() if isinstance(text, str) else text
    file = SimpleUploadedFile("trades.csv", data, content_type="text/csv")
    return desk.client(who).post(URL, {"file": file, **more}, format="multipart")


def lines(*rows: str, header: str = HEADER) -> str:
    return "\n".join([header, *rows, ""])


def imported(desk: Desk, text: str | bytes, **more: str) -> dict[str, Any]:
    """Upload, have it booked, and read it."""
    answer = upload(desk, text, **more)
    assert answer.status_code == 202, answer.content
    work(UUID(answer.json()["id"]))
    return read(desk, answer.json()["id"])


def work(import_id: UUID) -> None:
    """Until the end, however busy the machine is."""
    import_run(import_id, turn_seconds=600)


def read(desk: Desk, import_id: str, who: str = "trader") -> dict[str, Any]:
    found: dict[str, Any] = desk.client(who).get(f"{URL}{import_id}/").json()
    return found


def counts(job: dict[str, Any]) -> tuple[str, int, int, int]:
    return job["state"], job["rows_total"], job["rows_booked"], job["rows_rejected"]


def rejected(desk: Desk, import_id: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(errors_csv(desk, import_id))))


def errors_csv(desk: Desk, import_id: str) -> str:
    answer: Any = desk.client().get(f"{URL}{import_id}/errors.csv")
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/csv")
    return b"".join(answer.streaming_content).decode()


def reasons(desk: Desk, import_id: str) -> dict[int, str]:
    return {int(row[0]): row[1] for row in rejected(desk, import_id)[1:]}


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
    one, two = Trade.objects.order_by("id")
    assert (one.client_trade_id, one.note, one.side) == ("a-1", 'a "quoted", note', "buy")
    assert one.executed_at == datetime.fromisoformat("2026-03-17T14:30Z")
    assert one.trade_date == two.trade_date == date(2026, 3, 17)
    assert (two.client_trade_id, two.side, two.quantity) == (None, "sell", Decimal("2.5"))


def test_rows_that_cannot_be_booked_are_reported_and_the_others_booked(desk: Desk) -> None:
    bad = {
        3: ("NOPE,Test1,buy,1,2", "ticker: This ticker is not known."),
        4: ("IBM,Nope,buy,1,2", "account: You have no account of this code."),
        5: ("IBM,Test1,hold,1,2", "side: This must be buy or sell."),
        6: ('IBM,Test1,buy,"1,000",2', "quantity: Write it without thousands separators"),
        7: ("IBM,Test1,buy,1,000,2", "thousands separators"),
        8: ("IBM,Test1,buy,1e3,NaN", "price: This must be a plain decimal"),
        9: ("IBM,Test1,buy, 1 ,2", "quantity: This must be a plain decimal"),
        10: ("IBM,Test1,buy,-0,2", "quantity: This must be greater than 0."),
        11: ("IBM,Test1,buy,1", "only 4 cells"),
        12: (HEADER, "header once more"),
        13: ("IBM,Test1,buy,,2", "quantity"),
        14: (",,,,", "ticker: This field may not be blank."),
        15: ('IBM,Test1,buy,1,"2', "never closed"),
        16: ("IBM,Te\x07st1,buy,1,2", "Control characters"),
        17: ("IBM,Test1,buy,1_0,１２", "quantity: This must be a plain decimal"),
        18: ("IBM,Test1,buy,Infinity,1e400", "price: This must be a plain decimal"),
        19: ("IBM,Test1,buy," + "9" * 21 + ",1", "quantity: This"),
        20: ("IBM,Test1,buy,1.0000001,1000000001", "at most 1,000,000,000"),
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


def test_dates_and_times_are_judged_as_of_the_upload(desk: Desk) -> None:
    text = lines(
        f"{ROW},2026-03-19,", f"{ROW},2026-03-15,", f"{ROW},,2026-03-18T17:00:00Z", f"{ROW},,noon",
        f"{ROW},2026-03-16,", header=HEADER + ",trade_date,executed_at",
    )  # fmt: skip
    job = imported(desk, text)
    assert counts(job) == ("done", 5, 1, 4)
    assert Trade.objects.get().trade_date == date(2026, 3, 16)


def test_own_ids_book_once_across_files_and_within_one(desk: Desk) -> None:
    header = HEADER + ",id"
    text = lines(f"{ROW},a", f"{ROW},b", f"{ROW},a", "IBM,Test1,buy,99,1,b", header=header)
    job = imported(desk, text)
    assert counts(job) == ("done", 4, 2, 2)
    assert "before" in reasons(desk, job["id"])[4]
    assert "other terms" in reasons(desk, job["id"])[5]
    again = imported(desk, lines(f"{ROW},a", f"{ROW},c", header=header))
    assert counts(again) == ("done", 2, 1, 1)
    assert Trade.objects.count() == ClientTradeId.objects.count() == 3


def test_a_refused_row_leaves_its_own_id_free(desk: Desk) -> None:
    header = HEADER + ",id"
    job = imported(desk, lines("IBM,Test4,sell,5,2,x", "IBM,Test4,sell,5,2,x", header=header))
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
    desk.trader.entitlements.all().delete()
    work(UUID(import_id))
    assert counts(read(desk, import_id)) == ("done", 6, 2, 4)


# --- refused as a whole --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty"), (b"\n\n", "empty"), (HEADER.encode(), "empty"),
        (b"PK\x03\x04" + b"x" * 50, "not_csv"), (lines(ROW + "\x00").encode(), "nul"),
        (lines("IBM,M\u00fcller,buy,1,2").encode("latin-1"), "not_utf8"),
        (lines(ROW).encode("utf-16"), "not_csv"),
        (lines(header="ticker,account,side,quantity").encode(), "missing_column"),
        (lines(header=HEADER + ",colour").encode(), "unknown_column"),
        (lines(header=HEADER + ",Price").encode(), "column_twice"),
        (lines(header=HEADER.replace(",", ";")).encode(), "unknown_column"),
        (lines("x" * 20_000).encode(), "line_too_long"),
        (lines(*[ROW] * 60_000, ROW + "\xff").encode("latin-1"), "not_utf8"),
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


# --- dry run -------------------------------------------------------------------------------------


def test_a_dry_run_says_the_same_and_books_nothing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_running, "PIECE_ROWS", 2)
    text = lines(
        "IBM,Test4,buy,5,2,a", "NOPE,Test1,buy,1,2,", "IBM,Test4,sell,3,2,", "IBM,Test4,buy,5,2,a",
        "IBM,Test4,sell,3,2,", "IBM,Test1,sell,3,2,", "IBM,Test4,sell,2,2,",
        header=HEADER + ",id",
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


# --- whatever dies -------------------------------------------------------------------------------


def test_pieces_and_turns_book_every_row_once(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Groups larger than pieces, pieces larger than groups, chunks that end within rows."""
    monkeypatch.setattr(import_running, "PIECE_ROWS", 7)
    for module in (import_running, import_accepting):
        monkeypatch.setattr(module, "CHUNK_BYTES", 50)
    for group_size in ("1", "3", "7", "10"):
        rows = [f'IBM,Test1,buy,{n},"2"' for n in range(1, 31)]
        import_id = upload(desk, lines(*rows), group_size=group_size).json()["id"]
        turns = 0
        while read(desk, import_id)["state"] in ("queued", "running"):
            import_run(UUID(import_id), turn_seconds=0)
            turns += 1
        assert turns > 3
        job = read(desk, import_id)
        assert counts(job) == ("done", 30, 30, 0)
        sizes = [RequestGroup.objects.get(pk=g).trades for g in job["request_groups"]]
        whole, rest = divmod(30, int(group_size))
        assert sizes == [int(group_size)] * whole + [rest] * bool(rest)
        booked = Trade.objects.filter(request_group__in=job["request_groups"]).order_by("id")
        assert [t.quantity for t in booked] == list(range(1, 31))


def test_two_workers_do_not_work_at_the_same_import(desk: Desk) -> None:
    import_id = UUID(upload(desk, lines(ROW)).json()["id"])
    first = import_lease.import_take(import_id)
    assert first is not None
    assert import_lease.import_take(import_id) is None
    work(import_id)
    assert not Trade.objects.exists()
    assert import_lease.imports_sweep() == 0
    # It dies: its lease ends, the sweep finds the import, and another worker goes on.
    _age_leases()
    assert import_lease.imports_sweep() == 1
    work(import_id)
    assert Trade.objects.count() == 1


def test_a_worker_that_was_taken_for_dead_commits_nothing(desk: Desk) -> None:
    import_id = UUID(upload(desk, lines(ROW, ROW)).json()["id"])
    sleeper = import_lease.import_take(import_id)
    assert sleeper is not None
    _age_leases()
    work(import_id)
    assert Trade.objects.count() == 2
    with pytest.raises(import_lease.LeaseLost):
        import_running._Run(sleeper).go_on(0)
    assert Trade.objects.count() == 2
    assert Import.objects.get().state == "done"


def test_whoever_is_woken_waits_for_a_dead_worker_and_not_for_a_living_one(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_lease, "HEARTBEAT_SECONDS", 0.05)
    monkeypatch.setattr(import_lease, "LOOK_SECONDS", 0.01)
    import_id = UUID(upload(desk, lines(ROW)).json()["id"])
    living = import_lease.import_take(import_id)
    assert living is not None
    with import_lease.held(living):
        import_run(import_id, takes_over=True)
        assert Import.objects.get().lease == living.lease
    monkeypatch.setattr(import_lease, "LEASE_SECONDS", 0.3)
    assert import_lease.import_take(import_id) is not None
    import_run(import_id, takes_over=True)
    assert Trade.objects.count() == 1


def _age_leases() -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE trades_import SET lease_until = now() - interval '1 second'")


def test_the_lease_is_extended_while_a_piece_takes_long(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_lease, "HEARTBEAT_SECONDS", 0.05)
    import_id = UUID(upload(desk, lines(ROW)).json()["id"])
    job = import_lease.import_take(import_id)
    assert job is not None
    with import_lease.held(job):
        _age_leases()
        for _ in range(200):
            if import_lease.imports_sweep() == 0:
                break
            time.sleep(0.02)
        assert import_lease.imports_sweep() == 0


def test_a_row_that_the_database_refuses_is_found_and_the_rest_booked(
    desk: Desk, committed_db: PostgresServer
) -> None:
    with connect(committed_db.url("owner"), autocommit=True) as owner:
        owner.execute("ALTER TABLE trades_trade ADD CONSTRAINT poison CHECK (note <> 'poison')")
    try:
        rows = [f"{ROW},{'poison' if n in (3, 20) else ''}" for n in range(25)]
        job = imported(desk, lines(*rows, header=HEADER + ",note"))
    finally:
        with connect(committed_db.url("owner"), autocommit=True) as owner:
            owner.execute("ALTER TABLE trades_trade DROP CONSTRAINT poison")
    assert counts(job) == ("done", 25, 23, 2)
    assert set(reasons(desk, job["id"])) == {5, 22}
    assert "poison" in reasons(desk, job["id"])[5]


def test_an_import_that_nobody_gets_further_with_is_given_up(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("no ink")

    import_id = UUID(upload(desk, lines(ROW)).json()["id"])
    monkeypatch.setattr(import_running._Run, "_commit", fail)
    for _ in range(import_lease.MAX_ATTEMPTS + 1):
        work(import_id)
    job = read(desk, str(import_id))
    assert counts(job) == ("failed", 1, 0, 0)
    assert "no ink" in job["error"]
    assert "line 2" in job["error"]
    assert import_lease.imports_sweep() == 0


def test_a_dry_run_whose_worker_died_starts_over(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_running, "PIECE_ROWS", 2)
    text = lines("IBM,Test4,buy,5,2", "NOPE,Test1,buy,1,2", "IBM,Test4,sell,5,2")
    import_id = UUID(upload(desk, text, dry_run="1", group_size="2").json()["id"])
    dead = import_lease.import_take(import_id)
    assert dead is not None
    run = import_running._Run(dead)
    found = records(import_running._bytes_from(dead), offset=dead.place, line=dead.line)
    run._book(run._next_piece(found))
    assert counts(read(desk, str(import_id))) == ("running", 3, 0, 1)
    _age_leases()
    work(import_id)
    assert counts(read(desk, str(import_id))) == ("done", 3, 0, 1)
    assert set(reasons(desk, str(import_id))) == {3}


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
    ids = [upload(desk, lines(ROW)).json()["id"] for _ in range(5)][::-1]
    client = desk.client()
    first = client.get(URL, {"page_size": 2}).json()
    second = client.get(first["next"]).json()
    assert [j["id"] for j in [*first["results"], *second["results"]]] == ids[:4]
    back = client.get(second["previous"]).json()
    assert [j["id"] for j in back["results"]] == ids[:2]


# --- undo ----------------------------------------------------------------------------------------


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
    monkeypatch.setattr("trades.services.import_undoing.PIECE_TRADES", 3)
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


def test_trades_amended_moved_or_cancelled_since_are_undone_as_they_stand(desk: Desk) -> None:
    job = imported(desk, lines(*["IBM,Test1,buy,10,2"] * 3))
    one, two, _ = Trade.objects.order_by("id")
    for trade, terms in ((one, Terms(price=Decimal(7))), (two, Terms(account="Test4"))):
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


def test_who_may_undo(desk: Desk) -> None:
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


@pytest.mark.parametrize("body", [{"reason": ""}, {"why": "x"}, {"reason": "x" * 201}], ids=repr)
def test_an_undo_needs_a_reason(desk: Desk, body: dict[str, str]) -> None:
    job = imported(desk, lines(ROW))
    assert undo(desk, job["id"], **body).status_code == 400
    assert Trade.objects.get().status == "booked"


def test_what_runs_cannot_be_undone_yet(desk: Desk) -> None:
    import_id = upload(desk, lines(ROW)).json()["id"]
    answer = undo(desk, import_id)
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (409, "not_undoable")


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
