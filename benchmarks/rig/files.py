"""Accounts filled the way a user would fill them: by an import."""

import csv
import io
import time
from collections.abc import Iterable, Sequence

import requests

from benchmarks.rig.stacks import Stack

PATIENCE = 300.0


def import_rows(
    stack: Stack, token: str, columns: Sequence[str], rows: Iterable[Sequence[object]]
) -> int:
    """Import a CSV file of these rows, all of which must be booked; how many they were."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(columns)
    writer.writerows(rows)
    url = f"{stack.url}/api/v1/trades/imports/"
    headers = {"Authorization": f"Token {token}"}
    answer = requests.post(
        url,
        headers=headers,
        files={"file": ("bench.csv", text.getvalue().encode(), "text/csv")},
        data={"group_size": "1000"},
        timeout=60,
    )
    assert answer.ok, answer.text
    url += f"{answer.json()['id']}/"
    deadline = time.monotonic() + PATIENCE
    while answer.json()["state"] not in ("done", "failed"):
        assert time.monotonic() < deadline, f"the import does not end: {answer.text}"
        time.sleep(0.2)
        answer = requests.get(url, headers=headers, timeout=60)
        assert answer.ok, answer.text
    job = answer.json()
    assert job["state"] == "done", answer.text
    assert job["rows_booked"] == job["rows_total"], answer.text
    return int(job["rows_booked"])
