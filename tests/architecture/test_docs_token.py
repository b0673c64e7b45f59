"""The documents' command that logs in keeps the token of the answer, and nothing else of it."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.architecture.test_docs import DOCUMENTS

ANSWER = '{"token":"eqt_0f_Ab-9","id":7,"scope":"trade","expires_at":"2026-11-27T09:03:29.215720Z"}'
LOGIN = re.compile(r"TOKEN=\$\(curl [^|]*/token/[^|]*\|(.*)\)$", re.MULTILINE)
FOUND = [(place, part) for place in DOCUMENTS for part in LOGIN.findall(place.read_text())]


def test_documents_log_in() -> None:
    assert len(FOUND) >= 5


@pytest.mark.parametrize(("place", "kept_by"), FOUND, ids=lambda each: getattr(each, "name", ""))
def test_the_token_is_kept(place: Path, kept_by: str) -> None:
    kept = subprocess.run(
        ["bash", "-c", kept_by], input=ANSWER, capture_output=True, text=True, check=True
    )
    assert kept.stdout.strip() == "eqt_0f_Ab-9"
