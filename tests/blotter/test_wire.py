"""The API's answers to the letter, as the page's own tests read them (`tests/wire/answers.json`).

Where an answer changes on purpose, write the file anew and look at the difference:
`WRITE_WIRE=1 .venv/bin/python -m pytest tests/blotter/test_wire.py`, then `npm test` in frontend/.
"""

import json
import os
import re
from pathlib import Path
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile

from tests import factories as make
from tests.blotter.conftest import NOW, TUESDAY, WEDNESDAY, Blotter

FILE = Path(__file__).parents[1] / "wire" / "answers.json"
# What differs from run to run: ids, and the database's own clock.
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")
RECORDED = re.compile(r'("(?:recorded_at|updated_at)": )"[^"]*"')
# A row to book, one that is refused, and one that is passed over.
PREVIEWED = (
    "ticker;account;side;quantity;price;note\n"
    "IBM;Test1;Kauf;1.250,5;143,50;für Müller\n"
    "IBM;Test1;halten;1;143,50;\n"
    "IBM;Test1;Dividende;;;\n"
)
ONE_ID = "019cfb3c-1000-7000-8000-000000000001"


def answers(blotter: Blotter) -> dict[str, Any]:
    client = make.client_of(blotter.user)
    (trade,) = client.get("/api/v1/trades/").json()["results"]
    paths = {
        "accounts": "accounts/",
        "instruments": "instruments/?search=IBM",
        "market": "market/",
        "prices": "prices/?ticker=IBM",
        "closes": "prices/closes/?ticker=IBM",
        "positions": "positions/?as_of=2026-03-17",
        "trades": "trades/",
        "trade": f"trades/{trade['id']}/",
        "versions": f"trades/{trade['id']}/versions/",
        "pnl": "pnl/?by=account",
        "refused": "positions/?as_of=tomorrow",
    }
    found = {name: client.get(f"/api/v1/{path}").json() for name, path in paths.items()}
    imports = "/api/v1/trades/imports/"
    file = SimpleUploadedFile("trades.csv", PREVIEWED.encode("cp1252"), content_type="text/csv")
    found["preview"] = client.post(f"{imports}preview/", {"file": file}, format="multipart").json()
    found["profiles"] = client.get(f"{imports}profiles/").json()[:1]
    text = RECORDED.sub(r'\1"2026-03-18T16:00:00Z"', json.dumps(found))
    text = UUID.sub(ONE_ID, text)
    made: dict[str, Any] = json.loads(text)
    return made


def test_answers_are_those_that_the_page_is_tested_with(blotter: Blotter) -> None:
    blotter.trade("10", "41", TUESDAY)
    for day, close in ((TUESDAY, "43"), (WEDNESDAY.replace(day=16), "42.5")):
        make.make_close(blotter.ibm, day, close)
    make.make_quote(blotter.ibm, "44.25", NOW)
    found = answers(blotter)
    if os.environ.get("WRITE_WIRE"):
        FILE.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n")
    assert found == json.loads(FILE.read_text())
