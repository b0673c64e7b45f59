"""Whether this process traces: where a collector is named (`OTEL_EXPORTER_OTLP_ENDPOINT`). Else
OpenTelemetry isn't even imported.
"""

from django.conf import settings


def begin_tracing(part: str) -> None:
    """Trace from here on, as this part of the system. Once a process, after it has forked: what
    hands the spans on is a thread."""
    if settings.TRACES_TO:
        from eqtrade.opentelemetry import begin

        begin(part)


def end_tracing() -> None:
    """Hand on what is left, before the process ends without running what others left for then."""
    if settings.TRACES_TO:
        from eqtrade.opentelemetry import end

        end()
