"""One place writes versions and ledger entries, and one declares a trade's terms."""

import re
import tomllib
from pathlib import Path
from typing import cast

import pytest
from django.db import models

from accounts.models import Counterparty, Strategy
from trades.models import ClientTradeId, Trade, TradeVersion
from trades.terms import (
    AMENDABLE,
    BY_NAME,
    FIELDS,
    PRICE_ZERO,
    TERMS,
    VERSIONED,
    Amendment,
    Booking,
)

PROJECT = Path(__file__).parents[2]
WRITER = "trades/services/recording.py"
WRITES = re.compile(
    r"(INSERT INTO|COPY|UPDATE) trades_(tradeversion|versionfee|ledgerentry)"
    r"|(TradeVersion|VersionFee|LedgerEntry)(\.objects\.(create|bulk_create|get_or_create|update_or_create)\b|\()"
)


def sources() -> list[str]:
    """Every module of the apps and of what runs them; found without git, which a machine that runs
    the tests need not have."""
    apps = tomllib.loads((PROJECT / "pyproject.toml").read_text())["tool"]["importlinter"]
    return [
        path.relative_to(PROJECT).as_posix()
        for folder in (*apps["root_packages"], "deploy")
        for path in (PROJECT / folder).rglob("*.py")
        if "migrations" not in path.parts
    ]


def test_nothing_else_writes_versions_or_entries() -> None:
    writers = {path for path in sources() if WRITES.search((PROJECT / path).read_text())}
    # The models' own classes are declared with an opening parenthesis, too.
    assert writers - {"trades/models/ledger.py"} == {WRITER}


def test_a_booking_has_the_terms_in_their_order() -> None:
    assert Booking._fields == (*FIELDS, "sent")
    assert tuple(Amendment.__dataclass_fields__) == tuple(
        term.name for term in (*AMENDABLE, PRICE_ZERO)
    )
    required = tuple(name for name in FIELDS if name not in Booking._field_defaults)
    assert required == tuple(term.name for term in TERMS if term.required)


@pytest.mark.parametrize("term", VERSIONED, ids=lambda term: term.name)
@pytest.mark.parametrize("model", [Trade, TradeVersion], ids=["trade", "version"])
def test_every_term_has_its_column(model: type[models.Model], term: object) -> None:
    columns = {f.column: f for f in model._meta.concrete_fields}
    assert term.column in columns  # type: ignore[attr-defined]


def test_texts_are_as_long_as_their_columns() -> None:
    own_id = ClientTradeId._meta.get_field("client_trade_id")
    for term in ("note", "order_id"):
        field = cast(models.CharField[str, str], Trade._meta.get_field(term))
        assert field.max_length == BY_NAME[term].longest
    for kind, term in ((Strategy, "strategy"), (Counterparty, "counterparty")):
        code = cast(models.CharField[str, str], kind._meta.get_field("code"))
        assert code.max_length == BY_NAME[term].longest
    assert own_id.max_length == BY_NAME["client_trade_id"].longest


ASKS = "trades/guards/answers.py"
ANSWERS = re.compile(r"\bAnswer\(")
# Calls, not the functions themselves.
WRITE_CALLS = re.compile(
    r"(?<!def )\b(?:trades_write|trade_write_amended|trades_write_cancelled)\("
)


def test_the_writer_takes_nothing_without_an_answer_of_the_guards() -> None:
    """Answers are made where guards are asked, and each call of the writer has one."""
    texts = {path: (PROJECT / path).read_text() for path in sources()}
    assert {path for path, text in texts.items() if ANSWERS.search(text)} == {ASKS}
    calls = {
        path: [
            text[found.end() : _closing(text, found.end())] for found in WRITE_CALLS.finditer(text)
        ]
        for path, text in texts.items()
    }
    assert sum(map(len, calls.values())) >= 5
    bare = [path for path, some in calls.items() for call in some if "answer=" not in call]
    assert bare == []


def test_nobody_is_asked_only_where_it_says_so() -> None:
    """What is written without a question: a plain booking after it was asked, terms that move
    nothing, made-up trades of an empty book."""
    used = {
        path: text.count("NOTHING_FOUND") - len(re.findall(r"import.*NOTHING_FOUND", text))
        for path in sources()
        if "NOTHING_FOUND" in (text := (PROJECT / path).read_text()) and path != ASKS
    }
    assert used == {
        "trades/services/booking.py": 1,
        "trades/services/correction.py": 2,
        "trades/services/recording.py": 1,
    }


def _closing(text: str, at: int) -> int:
    """Where the bracket that was opened before `at` is closed."""
    depth = 1
    while depth:
        depth += {"(": 1, ")": -1}.get(text[at], 0)
        at += 1
    return at
