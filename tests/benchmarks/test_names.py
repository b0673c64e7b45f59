"""Which benchmarks run."""

import pytest

from benchmarks import __main__ as benchmarks


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Those that ran, in order; none of them measures anything."""
    found: list[str] = []
    for name in benchmarks.BENCHMARKS:
        monkeypatch.setitem(benchmarks.BENCHMARKS, name, lambda _, name=name: found.append(name))
    return found


def test_millions_of_rows_are_not_made_unasked(ran: list[str]) -> None:
    assert benchmarks.main([]) == 0
    assert set(benchmarks.BENCHMARKS) - set(ran) == {"ten_decimals", "fees_upgrade"}


def test_those_named_run_in_their_order(ran: list[str]) -> None:
    assert benchmarks.main(["ten_decimals", "cost"]) == 0
    assert ran == ["ten_decimals", "cost"]
