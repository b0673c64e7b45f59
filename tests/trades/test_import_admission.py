"""Who may import, how much, and how little room a file of rubbish takes."""

from collections import Counter
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from psycopg import connect

from eqtrade.up.postgres import PostgresServer
from tests import factories as make
from tests.at_once import at_once
from tests.trades.conftest import NOW, Desk, make_desk
from tests.trades.importing import HEADER, ROW, URL, counts, imported, lines, reasons, upload
from trades.imports import run as import_running
from trades.imports.retention import imports_tidy
from trades.imports.run import import_run
from trades.models import Import, ImportChunk, Rejection


@pytest.fixture
def desk(committed_db: PostgresServer, noon: datetime) -> Desk:
    return make_desk()


# --- who -----------------------------------------------------------------------------------------


class _Unread:
    """A body that nobody may read."""

    def read(self, *_: Any) -> bytes:
        raise AssertionError("the body was read")

    readline = read


def test_who_may_book_nowhere_is_refused_before_the_file_is_read(desk: Desk) -> None:
    body: Any = {"wsgi.input": _Unread(), "CONTENT_LENGTH": "1000"}
    for who in ("viewer", "outsider"):
        form = "multipart/form-data; boundary=x"
        answer = desk.client(who).generic("POST", URL, "", content_type=form, **body)
        assert answer.status_code == 403, who
        assert answer.json()["errors"][0]["code"] == "not_entitled"
    assert not Import.objects.exists()
    make.entitle(desk.outsider, desk.account, book=True)
    assert upload(desk, lines(ROW), "outsider").status_code == 202


# --- how much ------------------------------------------------------------------------------------


def test_so_many_imports_of_a_user_at_a_time(desk: Desk, settings: Any) -> None:
    settings.IMPORT_OPEN_MAX = 2
    own_id = str(uuid4())
    first = upload(desk, lines(ROW), client_import_id=own_id).json()
    assert upload(desk, lines(ROW), again="1").status_code == 202
    refused = upload(desk, lines(ROW), again="1")
    assert refused.status_code == 429
    assert refused.json()["type"] == "client_error"
    assert refused.json()["errors"][0]["code"] == "import_quota"
    assert int(refused["Retry-After"]) > 0
    # A repetition is no further import, and nobody else waits.
    again = upload(desk, lines(ROW), client_import_id=own_id)
    assert (again.status_code, again.json()["id"]) == (200, first["id"])
    make.entitle(desk.outsider, desk.account, book=True)
    assert upload(desk, lines(ROW), "outsider", again="1").status_code == 202
    import_run(first["id"], turn_seconds=600)
    assert upload(desk, lines(ROW), again="1").status_code == 202


def test_so_many_bytes_of_a_user_in_a_day(desk: Desk, settings: Any) -> None:
    text = lines(*[ROW] * 100)
    settings.IMPORT_BYTES_PER_DAY = len(text) * 2
    assert [upload(desk, text, again="1").status_code for _ in range(3)] == [202, 202, 429]
    Import.objects.update(accepted_at=NOW - timedelta(days=1))
    assert upload(desk, text, again="1").status_code == 202


def test_many_uploads_at_once_get_no_further(desk: Desk, settings: Any) -> None:
    settings.IMPORT_OPEN_MAX = 2
    clients = [desk.client() for _ in range(6)]

    def send(number: int) -> int:
        from django.core.files.uploadedfile import SimpleUploadedFile

        file = SimpleUploadedFile("trades.csv", lines(ROW).encode(), content_type="text/csv")
        status: int = (
            clients[number].post(URL, {"file": file, "again": "1"}, format="multipart").status_code
        )
        return status

    answers = at_once(*[lambda n=n: send(n) for n in range(6)])
    assert Counter(answers) == {202: 2, 429: 4}


# --- how little room -----------------------------------------------------------------------------


def stored(cluster: PostgresServer) -> int:
    """Bytes of all that imports store, with indexes and what is stored aside, without gaps."""
    total = 0
    with connect(cluster.url("superuser", "eqtrade"), autocommit=True) as owner:
        for model in (Import, ImportChunk, Rejection):
            table = model._meta.db_table
            owner.execute(f"VACUUM FULL {table}".encode())
            found = owner.execute("SELECT pg_total_relation_size(%s)", [table]).fetchone()
            total += found[0] if found else 0
    return total


RUBBISH = {
    "short": "x\n", "quotes": '"\n', "five blanks": ",,,,\n", "many cells": "a," * 2_000 + "\n",
    "long": "x" * 16_000 + "\n", "three wrong": "q,q,q,q,q\n",
    "newest first": "x\n" * 50 + "IBM,Test1,buy,1,x\n",
}  # fmt: skip


@pytest.mark.parametrize("row", RUBBISH.values(), ids=RUBBISH)
def test_what_an_upload_stores_is_at_most_three_times_its_bytes(
    desk: Desk, committed_db: PostgresServer, row: str
) -> None:
    before = stored(committed_db)
    text = HEADER + "\n" + row * (102_400 // len(row))
    job = imported(desk, text)
    took = stored(committed_db) - before
    print(f"{len(text):,} bytes of {row[:10]!r}: {took:,} stored, {took / len(text):.2f} times")
    assert took <= 3 * len(text)
    assert job["rows_rejected"] + job["rows_passed_over"] == job["rows_total"] > 0
    kept = Rejection.objects.count()
    assert kept + sum(job["rejected_further"].values()) == job["rows_rejected"]


def test_the_first_thousand_are_written_down_and_the_others_counted_by_code(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_running, "PIECE_ROWS", 700)
    note = "n" * 60
    rows = ["x" * 60, f"IBM,Test1,hold,1,2,{note}", f"IBM,Nope,buy,1,2,{note}"] * 1_000
    text = lines(*rows, f"{ROW},", header=f"{HEADER},note")
    import_id = upload(desk, text, group_size="700").json()["id"]
    # Workers take over from each other, and it makes no difference.
    while Import.objects.get().state in ("queued", "running"):
        import_run(import_id, turn_seconds=0)
    job = desk.client().get(f"{URL}{import_id}/").json()
    assert counts(job) == ("done", 3_001, 1, 3_000)
    assert list(reasons(desk, import_id)) == list(range(2, 1_002))
    # The first thousand are 334, 333 and 333 of the three kinds.
    further = job["rejected_further"]
    assert sum(further.values()) == 2_000
    assert further["too_few_cells"] == 666
    assert len(further) == 3


def test_a_dry_run_counts_the_same(desk: Desk) -> None:
    text = lines(*["x"] * 1_500)
    dry, wet = imported(desk, text, dry_run="true"), imported(desk, text)
    assert dry["rejected_further"] == wet["rejected_further"] == {"too_few_cells": 500}
    assert dry["rows_rejected"] == wet["rows_rejected"] == 1_500


def test_rejected_rows_go_with_their_file(desk: Desk) -> None:
    job = imported(desk, lines(ROW, "x"))
    assert Rejection.objects.count() == 1
    assert imports_tidy(now=NOW + timedelta(days=91)) == 1
    assert not Rejection.objects.exists()
    assert not ImportChunk.objects.exists()
    assert Import.objects.get().rows_rejected == 1
    assert imports_tidy(now=NOW + timedelta(days=91)) == 0
    assert reasons(desk, job["id"]) == {}
