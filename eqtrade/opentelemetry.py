"""Traces by OpenTelemetry. `eqtrade.tracing` alone imports this, where traces are asked for.

The libraries' instrumentations make spans of requests, tasks and Redis' commands. Statements are
told by Django's own hook: psycopg's instrumentation sees only cursors that it has made itself, and
most of ours are prepared ones, made once a connection (`kernel.postgres`).

No span holds a body, a token, a parameter of a statement, or what follows an address's question
mark. Spans without a trace to be in are not made: a poll of the hub or the broker is none's.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from django.db.backends.signals import connection_created
from django.http import HttpRequest
from opentelemetry import context, propagate, trace
from opentelemetry.instrumentation.celery import CeleryInstrumentor
from opentelemetry.instrumentation.django import DjangoInstrumentor
from opentelemetry.instrumentation.redis import RedisInstrumentor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from kernel import traces
from kernel.traces import Told

HEADER = "traceparent"
_ASKED = ("http.url", "http.target", "url.full", "url.query")
_LONGEST_STATEMENT = 500
_provider: TracerProvider | None = None


class Spans:
    """What `kernel.traces` asks of a process that traces."""

    def __init__(self, provider: TracerProvider) -> None:
        self._tracer = provider.get_tracer("eqtrade")
        self._w3c = TraceContextTextMapPropagator()

    def traceparent(self) -> str:
        carrier: dict[str, str] = {}
        if trace.get_current_span().is_recording():
            self._w3c.inject(carrier)
        return carrier.get(HEADER, "")

    def ids(self) -> Mapping[str, str]:
        found = trace.get_current_span().get_span_context()
        if not (found.is_valid and found.trace_flags.sampled):
            return {}
        return {
            "trace_id": trace.format_trace_id(found.trace_id),
            "span_id": trace.format_span_id(found.span_id),
        }

    def note(self, attributes: Mapping[str, Told]) -> None:
        trace.get_current_span().set_attributes(dict(attributes))

    @contextmanager
    def going_on(self, traceparent: str) -> Iterator[None]:
        token = context.attach(self._context(traceparent))
        try:
            yield
        finally:
            context.detach(token)

    def tell(
        self, name: str, traceparent: str, began: int, ended: int, attributes: Mapping[str, Told]
    ) -> None:
        at_hand = trace.get_current_span().get_span_context()
        span = self._tracer.start_span(
            name,
            context=self._context(traceparent),
            links=[trace.Link(at_hand)] if at_hand.is_valid else [],
            attributes=dict(attributes),
            start_time=began,
        )
        span.end(ended)

    def statement(
        self, execute: Callable[..., Any], sql: Any, params: Any, many: bool, about: dict[str, Any]
    ) -> Any:
        """Django's hook around each statement: its text, never its parameters."""
        if not trace.get_current_span().is_recording():
            return execute(sql, params, many, about)
        text = " ".join(str(sql)[: 2 * _LONGEST_STATEMENT].split())[:_LONGEST_STATEMENT]
        with self._tracer.start_as_current_span(
            text.split(" ", 1)[0] or "statement",
            kind=trace.SpanKind.CLIENT,
            attributes={"db.system": "postgresql", "db.statement": text},
            # psycopg's messages name values: "Key (…)=(…) already exists".
            record_exception=False,
            set_status_on_exception=False,
        ):
            return execute(sql, params, many, about)

    def _context(self, traceparent: str) -> context.Context:
        return self._w3c.extract({HEADER: traceparent}, context.Context())


def begin(part: str) -> None:
    """Trace as this part: `api`, `worker` or `ws`. How much, by OTEL_TRACES_SAMPLER."""
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    made = TracerProvider(resource=Resource.create({"service.name": f"eqtrade-{part}"}))
    made.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    begin_with(made, part)


def begin_with(made: TracerProvider, part: str) -> None:
    """The same, with spans going elsewhere."""
    global _provider
    _provider = made
    # No baggage: what somebody else writes there would go on to wherever we do.
    propagate.set_global_textmap(TraceContextTextMapPropagator())
    spans = Spans(made)
    traces.use(spans)
    if part == "ws":
        # Its readings are for many at once; it tells of each request afterwards.
        return

    def told(connection: Any, **_: Any) -> None:
        # One that is opened again keeps what it had.
        if spans.statement not in connection.execute_wrappers:
            connection.execute_wrappers.append(spans.statement)

    connection_created.connect(told, weak=False, dispatch_uid="eqtrade.opentelemetry")
    RedisInstrumentor().instrument(tracer_provider=made)
    CeleryInstrumentor().instrument(tracer_provider=made)  # type: ignore[no-untyped-call]
    if part == "api":
        DjangoInstrumentor().instrument(
            tracer_provider=made,
            request_hook=_without_what_is_asked,
        )


def end() -> None:
    if _provider is not None:
        _provider.shutdown()


def _without_what_is_asked(span: trace.Span, request: HttpRequest) -> None:
    """Behind the question mark there may be a code that lets somebody in."""
    for name in getattr(span, "attributes", None) or ():
        if name in _ASKED:
            span.set_attribute(name, request.path)
