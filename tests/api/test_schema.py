"""Requests made up from the OpenAPI schema, right ones and wrong ones: no call fails inside, and
every answer is one that the schema names, in the form that the schema gives it."""

import random
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections, connection
from drf_spectacular.generators import SchemaGenerator
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from kernel.clock import clock_set
from kernel.database import lift_timeouts
from tests import factories as make
from tests.trades.conftest import NOW, TODAY, make_desk
from trades.models import Trade

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
EXAMPLES = {GenerationMode.POSITIVE: 8, GenerationMode.NEGATIVE: 8}
# Answers that the documentation pages give for themselves.
NOT_THE_API = ("/api/v1/schema/",)


@pytest.fixture
def token(db: None) -> Iterator[str]:
    """Of a superuser, at a desk with a trade: most of what is well-formed is then possible."""
    with connection.cursor() as cursor:
        # All of it is one transaction, much of it spent on making requests up.
        lift_timeouts(cursor)
        cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
    desk = make_desk()
    boss = make.make_user("boss", is_staff=True, is_superuser=True)
    make.make_trade(boss, desk.account, desk.ibm, "10", "2", trade_date=TODAY, at=NOW)
    # As Django's own test client does: else each request would end the test's transaction.
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    with clock_set(NOW):
        yield make.make_token(boss).key
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


def test_what_a_change_answers_with_is_no_page() -> None:
    """`keyset_page` answers GET only; a list that a change gives comes whole."""
    schema: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    pages = {
        (method, path)
        for path, methods in schema["paths"].items()
        for method, operation in methods.items()
        if "'#/components/schemas/Paginated" in str(operation["responses"].get("200"))
    }
    assert len(pages) > 10
    assert {method for method, _ in pages} == {"get"}


@pytest.mark.timeout(400)
@pytest.mark.parametrize("mode", EXAMPLES, ids=lambda mode: mode.value)
def test_every_answer_is_as_documented(token: str, mode: GenerationMode) -> None:
    schema = schemathesis.openapi.from_wsgi("/api/v1/schema/?format=json", get_wsgi_application())
    chance = random.Random(1)
    wrong: dict[str, str] = {}
    answers: dict[str, set[int]] = {}
    for found in schema.get_all_operations():
        assert isinstance(found, Ok), found
        operation = found.ok()
        if operation.path in NOT_THE_API:
            continue

        @settings(
            max_examples=EXAMPLES[mode],
            derandomize=True,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy(generation_mode=mode))
        def run(case: "Case[Any]") -> None:
            _bring_home(case, chance)
            answer = case.call(headers={"Authorization": f"Token {token}"})
            answers.setdefault(case.operation.label, set()).add(answer.status_code)
            case.validate_response(answer, checks=CHECKS)

        try:
            run()
        except Unsatisfiable:
            continue  # it takes nothing that could be wrong
        except (Exception, FailureGroup) as error:  # noqa: BLE001 - all are tried, then all told
            wrong[operation.label] = str(error)[:1500]
    assert not wrong, "\n\n".join(f"{label}: {said}" for label, said in wrong.items())
    if mode is GenerationMode.POSITIVE:
        done = [label for label, codes in answers.items() if codes & {200, 201}]
        assert len(done) > len(answers) / 2, f"hardly anything was reached: {answers}"


def _bring_home(case: "Case[Any]", chance: random.Random) -> None:
    """Made-up names name nothing here: often put in those that do, so that more is reached."""
    known = {"account": "Test1", "ticker": "IBM"}
    for part in (case.body, case.query):
        if isinstance(part, dict) and chance.random() < 0.8:
            part.update({n: v for n, v in known.items() if isinstance(part.get(n), str)})
    trade = Trade.objects.order_by("id").first()
    if trade and "trade_id" in case.path_parameters and chance.random() < 0.8:
        case.path_parameters["trade_id"] = str(trade.pk)
        if isinstance(case.body, dict) and chance.random() < 0.5:
            case.body["version"] = trade.version
