"""An upload that is repeated, because its answer was lost, is taken once."""

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import pytest

from eqtrade.up.postgres import PostgresServer
from tests import factories as make
from tests.at_once import at_once
from tests.trades.conftest import Desk, make_desk
from tests.trades.importing import ROW, counts, lines, upload, work
from trades.models import Import, ImportChunk, Trade


@pytest.fixture
def desk(committed_db: PostgresServer, noon: datetime) -> Desk:
    return make_desk()


def test_the_same_upload_again_is_that_import_as_it_is_now(desk: Desk) -> None:
    mine = str(uuid4())
    first = upload(desk, lines(ROW), client_import_id=mine)
    assert first.status_code == 202, first.content
    work(UUID(first.json()["id"]))
    again = upload(desk, lines(ROW), client_import_id=mine)
    assert again.status_code == 200, again.content
    assert again.json()["id"] == first.json()["id"]
    assert counts(again.json()) == ("done", 1, 1, 0)
    assert Import.objects.count() == ImportChunk.objects.count() == Trade.objects.count() == 1


def test_other_files_and_other_options_need_an_id_of_their_own(desk: Desk) -> None:
    mine = str(uuid4())
    assert upload(desk, lines(ROW), client_import_id=mine).status_code == 202
    for text, more in (
        (lines(ROW, ROW), {}),
        (lines(ROW), {"group_size": "7"}),
        (lines(ROW), {"dry_run": "true"}),
    ):
        answer = upload(desk, text, client_import_id=mine, **more)
        assert answer.status_code == 409, answer.content
        assert answer.json()["errors"][0]["code"] == "client_import_id_taken"
    assert Import.objects.count() == ImportChunk.objects.count() == 1


def test_an_id_is_its_users_own_and_without_one_each_upload_counts(desk: Desk) -> None:
    mine = str(uuid4())
    make.entitle(desk.outsider, desk.account, book=True)
    for who in ("trader", "outsider"):
        answer = upload(desk, lines(ROW), who, client_import_id=mine, again="1")
        assert answer.status_code == 202
    for _ in range(2):
        assert upload(desk, lines(ROW), again="1").status_code == 202
    assert Import.objects.count() == 4


def test_a_file_that_was_refused_leaves_its_id_free(desk: Desk) -> None:
    mine = str(uuid4())
    assert upload(desk, "ticker\n", client_import_id=mine).status_code == 400
    assert upload(desk, lines(ROW), client_import_id=mine).status_code == 202


@pytest.mark.parametrize("id_", ["", "1", "x" * 36])
def test_an_id_is_a_uuid(desk: Desk, id_: str) -> None:
    answer = upload(desk, lines(ROW), client_import_id=id_)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["attr"] == "client_import_id"


def test_two_at_the_same_time_are_one(desk: Desk) -> None:
    mine = str(uuid4())

    def send() -> Any:
        return upload(desk, lines(ROW), client_import_id=mine)

    answers: list[Any] = at_once(send, send)
    assert sorted(answer.status_code for answer in answers) == [200, 202]
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert Import.objects.count() == 1
