"""Helpers of tests of imports: a file uploaded, worked at, read."""

import csv
import io
from typing import Any
from uuid import UUID

from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection

from tests.trades.conftest import Desk
from trades.imports.run import import_run

URL = "/api/v1/trades/imports/"
HEADER = "ticker,account,side,quantity,price"
ROW = "IBM,Test1,buy,10,143.5"


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


def age_leases() -> None:
    """As if the workers that hold them had died a while ago."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE trades_import SET lease_until = now() - interval '1 second'")
