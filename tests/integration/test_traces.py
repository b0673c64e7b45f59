"""One booking's trace, from its HTTP request through the readers to the frame, in real parts."""

import http.client
import json
import secrets
import socket
import subprocess
import sys

from eqtrade.up.options import PROJECT
from tests.integration.test_following import lines_of
from tests.stack.eventually import eventually
from tests.stack.running import RunningStack

NOTE = "what nobody may trace"
CODE = "hunter22-is-a-code"


def test_a_bookings_trace_goes_from_the_request_to_the_frame(stack: RunningStack) -> None:
    desk, trader = stack.desk(), stack.client("trader")
    trace, request_id = secrets.token_hex(16), secrets.token_hex(16)
    with stack.live("trader", [desk]) as live:
        live.wait(lambda live: live.snapshots > 0)
        # As nginx sends it on from a proxy that it trusts.
        headers = {
            "Host": f"127.0.0.1:{stack.port}",
            "X-Forwarded-Proto": "http",
            "X-Real-IP": "127.0.0.1",
            "X-Request-ID": request_id,
            "traceparent": f"00-{trace}-{secrets.token_hex(8)}-01",
            "Authorization": f"Token {trader.token}",
            "Content-Type": "application/json",
        }
        said = {"account": desk, "ticker": "AAPL", "side": "buy", "quantity": "3", "price": "10"}
        path = f"/api/v1/trades/?code={CODE}"
        status = post_by_socket(stack, path, json.dumps({**said, "note": NOTE}), headers)
        assert status == 201

        def whole() -> None:
            named = {(span.part, span.name) for span in stack.collector.spans.get(trace, ())}
            assert ("eqtrade-worker", "ledger applied") in named
            assert ("eqtrade-ws", "frame") in named
            assert any(part == "eqtrade-api" and "POST" in name for part, name in named)

        eventually(whole)
    spans = stack.collector.spans[trace]
    (asked,) = [s for s in spans if s.part == "eqtrade-api" and "POST" in s.name]
    (applied, *_) = [s for s in spans if s.name == "ledger applied"]
    (frame,) = [s for s in spans if s.name == "frame"]
    assert {s.attributes["request_id"] for s in (asked, applied, frame)} == {request_id}
    assert asked.began < applied.ended
    assert applied.began < frame.ended
    assert any(s.attributes.get("db.system") == "postgresql" for s in spans)
    assert any(s.attributes.get("db.system") == "redis" for s in spans)
    for program in ("api", "worker-ledger", "ws"):
        assert any(request_id in line for line in lines_of(stack, program, trace)), program
    for secret in (NOTE, CODE, trader.token):
        assert secret.encode() not in stack.collector.raw


def post_by_socket(stack: RunningStack, path: str, body: str, headers: dict[str, str]) -> int:
    connection = http.client.HTTPConnection("127.0.0.1")
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.connect(str(stack.layout.socket("api")))
    connection.request("POST", path, body, headers)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status


def test_without_a_collector_nothing_of_it_is_imported() -> None:
    """Also where everything begins that would trace."""
    asks = (
        "import sys, django; django.setup();"
        "import eqtrade.celery, kernel.middleware, redis.asyncio, channels_redis.pubsub;"
        "from eqtrade.tracing import begin_tracing, end_tracing;"
        "begin_tracing('api'); end_tracing();"
        "from kernel import traces; assert traces.tracer is None;"
        # None is what may not be imported; the packages' common name is no file of theirs.
        "sys.exit([name for name, module in sys.modules.items() if module is not None"
        " and name.startswith('opentelemetry.')] or None)"
    )
    subprocess.run(
        [sys.executable, "-c", asks],
        cwd=PROJECT,
        check=True,
        env={
            "DJANGO_SETTINGS_MODULE": "eqtrade.settings",
            "DATABASE_URL": "postgres://nobody@127.0.0.1/none",
            "REDIS_URL": "redis://127.0.0.1:1/0",
            "EQTRADE_TESTING": "1",
            "SECRET_KEY": "k" * 60,
        },
        timeout=60,
    )
