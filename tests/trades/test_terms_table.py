"""The table of terms that the front end reads: in step with the declaration, or told so."""

from pathlib import Path

import pytest

from eqtrade.up.options import PROJECT
from trades.terms import main, table

FILE = PROJECT / "frontend" / "src" / "lib" / "terms.json"


def test_the_front_end_has_the_table_as_declared() -> None:
    assert main(["--check", str(FILE)]) is None


def test_a_file_out_of_step_is_told_and_made_anew(tmp_path: Path) -> None:
    file = tmp_path / "terms.json"
    file.write_text(FILE.read_text().replace('"longest": 200', '"longest": 100'))
    assert "make api" in (main(["--check", str(file)]) or "")
    main(["--write", str(file)])
    assert file.read_text() == FILE.read_text()


def test_the_table_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    main([])
    assert capsys.readouterr().out == FILE.read_text()
    assert "column" not in table()["terms"][0]
