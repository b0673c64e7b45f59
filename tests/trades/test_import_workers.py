"""Workers of imports: pieces, turns, leases, and what they cannot book. Every row once."""

import time
from datetime import datetime
from uuid import UUID

import pytest
from psycopg import connect

from eqtrade.up.postgres import PostgresServer
from kernel.locks import Lock
from tests.trades.conftest import Desk, make_desk
from tests.trades.importing import (
    HEADER,
    ROW,
    age_leases,
    counts,
    imported,
    lines,
    read,
    reasons,
    upload,
    work,
)
from trades.imports import accept as import_accepting
from trades.imports import lease as import_lease
from trades.imports import run as import_running
from trades.imports.run import import_run
from trades.models import Import, RequestGroup, Trade


@pytest.fixture
def desk(committed_db: PostgresServer, noon: datetime) -> Desk:
    return make_desk()


def test_pieces_and_turns_book_every_row_once(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Groups larger than pieces, pieces larger than groups, chunks that end within rows."""
    monkeypatch.setattr(import_running, "PIECE_ROWS", 7)
    for module in (import_running, import_accepting):
        monkeypatch.setattr(module, "CHUNK_BYTES", 50)
    for group_size in ("1", "3", "7", "10"):
        rows = [f'IBM,Test1,buy,{n},"2"' for n in range(1, 31)]
        import_id = upload(desk, lines(*rows), group_size=group_size, again="1").json()["id"]
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


def test_rows_in_another_order_are_booked_once_too(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Newest first, with rows between them that are no trades; chunks that end within rows."""
    monkeypatch.setattr(import_running, "PIECE_ROWS", 7)
    for module in (import_running, import_accepting):
        monkeypatch.setattr(module, "CHUNK_BYTES", 50)
    rows = []
    for n in range(30):
        rows += [f'IBM,Test1,buy,{30 - n},"2",2026-03-{17 - n // 15}', "IBM,Test1,dividend,,,"]
    text = lines(*rows, "", "Total", header=HEADER + ",trade_date")
    import_id = upload(desk, text, group_size="3").json()["id"]
    turns = 0
    while read(desk, import_id)["state"] in ("queued", "running"):
        import_run(UUID(import_id), turn_seconds=0)
        turns += 1
    assert turns > 3
    job = read(desk, import_id)
    assert counts(job) == ("done", 61, 30, 0)
    assert job["passed_over"] == {"dividend": 30, "total": 1}
    assert job["reading"]["styles"]["order"] == "newest_first"
    assert [t.quantity for t in Trade.objects.order_by("id")] == list(range(1, 31))


def test_two_workers_do_not_work_at_the_same_import(desk: Desk) -> None:
    import_id = UUID(upload(desk, lines(ROW)).json()["id"])
    first = import_lease.import_take(import_id)
    assert first is not None
    assert import_lease.import_take(import_id) is None
    work(import_id)
    assert not Trade.objects.exists()
    assert import_lease.imports_sweep() == 0
    # It dies: its lease ends, the sweep finds the import, and another worker goes on.
    age_leases()
    assert import_lease.imports_sweep() == 1
    work(import_id)
    assert Trade.objects.count() == 1


def test_a_worker_that_was_taken_for_dead_commits_nothing(desk: Desk) -> None:
    import_id = UUID(upload(desk, lines(ROW, ROW)).json()["id"])
    sleeper = import_lease.import_take(import_id)
    assert sleeper is not None
    age_leases()
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


def test_the_lease_is_extended_while_a_piece_takes_long(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_lease, "HEARTBEAT_SECONDS", 0.05)
    import_id = UUID(upload(desk, lines(ROW)).json()["id"])
    job = import_lease.import_take(import_id)
    assert job is not None
    with import_lease.held(job):
        age_leases()
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


def test_one_dry_run_at_a_time_and_imports_go_on_beside_it(
    desk: Desk, committed_db: PostgresServer
) -> None:
    """A dry run keeps its worker until it ends: two would keep all of them."""
    dry = upload(desk, lines(ROW), dry_run="1").json()["id"]
    with connect(committed_db.url("runtime"), autocommit=True) as other:
        other.execute("SELECT pg_advisory_lock(%s)", [Lock.IMPORT_DRY_RUN.value])
        for _ in range(import_lease.MAX_ATTEMPTS + 1):
            work(UUID(dry))
        assert counts(read(desk, dry)) == ("queued", 1, 0, 0)
        assert counts(imported(desk, lines(ROW))) == ("done", 1, 1, 0)
        # The sweep brings it back.
        assert import_lease.imports_sweep() == 1
        other.execute("SELECT pg_advisory_unlock(%s)", [Lock.IMPORT_DRY_RUN.value])
        work(UUID(dry))
        assert counts(read(desk, dry)) == ("done", 1, 0, 0)
        # Given back.
        assert counts(imported(desk, lines(ROW), dry_run="1")) == ("done", 1, 0, 0)
        found = other.execute("SELECT pg_try_advisory_lock(%s)", [Lock.IMPORT_DRY_RUN.value])
        assert found.fetchone() == (True,)


def test_a_dry_run_whose_worker_died_starts_over(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_running, "PIECE_ROWS", 2)
    text = lines("IBM,Test4,buy,5,2", "NOPE,Test1,buy,1,2", "IBM,Test4,sell,5,2")
    import_id = UUID(upload(desk, text, dry_run="1", group_size="2").json()["id"])
    dead = import_lease.import_take(import_id)
    assert dead is not None
    run = import_running._Run(dead)
    run._book(run._next_piece(run._units()))
    assert counts(read(desk, str(import_id))) == ("running", 3, 0, 1)
    age_leases()
    work(import_id)
    assert counts(read(desk, str(import_id))) == ("done", 3, 0, 1)
    assert set(reasons(desk, str(import_id))) == {3}
