"""The stack has the program that streams prices only where prices are streamed."""

import pytest

from eqtrade.up.programs import stream_program, streams


@pytest.mark.parametrize(
    ("environment", "has_it"),
    [
        ({}, False),
        ({"PRICE_STREAM": "1"}, False),
        ({"PRICE_STREAM": "1", "PRICE_SOURCE": "simulated"}, False),
        ({"PRICE_STREAM": "0", "PRICE_SOURCE": "yahoo"}, False),
        ({"PRICE_STREAM": "", "PRICE_SOURCE": "yahoo"}, False),
        ({"PRICE_STREAM": "1", "PRICE_SOURCE": "yahoo"}, True),
        ({"PRICE_STREAM": "true", "PRICE_SOURCE": "yahoo"}, True),
    ],
)
def test_it_is_there_when_asked_for_and_the_source_has_one(
    environment: dict[str, str], has_it: bool
) -> None:
    assert streams(environment) == has_it


def test_it_runs_the_command() -> None:
    assert stream_program().command[-2:] == ["prices", "stream"]
