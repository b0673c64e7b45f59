"""Files that are taken away: each is recorded, so many a day."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from audit.models import Record
from kernel import clock
from kernel.clock import clock_set
from tests import factories as make
from tests.audit.conftest import Since
from trades.models import Import

pytestmark = pytest.mark.django_db
PAGE = "/admin/audit/record/export/csv/"


@pytest.fixture
def two_a_day(settings: Any) -> None:
    settings.EXPORTS_PER_DAY = 2


def taken(client: Client, path: str = PAGE) -> int:
    answer: Any = client.get(path)
    if answer.streaming:
        b"".join(answer.streaming_content)
    return int(answer.status_code)


def test_so_many_a_day_of_whatever_kind(client: Client, boss: User, two_a_day: None) -> None:
    assert [taken(client), taken(client, "/admin/blotter/pnlday/csv/?by=ticker")] == [200, 200]
    answer = client.get(PAGE)
    assert (answer.status_code, answer["Content-Type"]) == (429, "text/plain")
    assert 86_000 < int(answer["Retry-After"]) <= 86_400
    assert b"as one user may in 24 hours" in answer.content
    assert Record.objects.filter(event="export").count() == 2, "what is refused is none"
    with clock_set(clock.now() + timedelta(days=1)):
        client.force_login(boss)
        assert taken(client) == 200


def test_another_users_are_not_counted(client: Client, two_a_day: None) -> None:
    assert [taken(client) for _ in range(3)] == [200, 200, 429]
    other = Client()
    other.force_login(make.make_user("other", is_staff=True, is_superuser=True))
    assert taken(other) == 200


def test_rejected_rows_are_taken_away_too(since: Since, two_a_day: None) -> None:
    trader, account = make.make_user("trader"), make.make_account("A")
    make.entitle(trader, account, book=True)
    client = Client()
    client.force_login(trader)
    file = SimpleUploadedFile("trades.csv", b"ticker,account,side,quantity,price\nXX,A,buy,1,1\n")
    assert client.post("/api/v1/trades/imports/", {"file": file}).status_code == 202
    job = Import.objects.get()
    path = f"/api/v1/trades/imports/{job.pk}/errors.csv"
    since()
    assert taken(client, path) == 200
    (row,) = since()
    assert (row.event, row.object_name) == ("export", f"rejected rows of {job.pk}")
    assert (row.actor_name, row.after["format"]) == ("trader", "csv")
    taken(client, path)
    answer = client.get(path)
    assert answer.status_code == 429
    assert answer.json()["errors"][0]["code"] == "export_quota"
    # What is none of theirs is not found, and no export.
    stranger = Client()
    stranger.force_login(make.make_user("stranger"))
    assert taken(stranger, path) == 404
    assert Record.objects.filter(event="export").count() == 2


def test_the_limit_is_what_was_promised(settings: Any, boss: User) -> None:
    assert settings.EXPORTS_PER_DAY == 200
