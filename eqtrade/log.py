"""Logs: JSON in containers, lines on a laptop, both on stderr, with the id of the request at hand.

Whoever logs does it by structlog (`logger.info("booked", trades=[…])`) or by Python's own logging,
as libraries do; both come out alike. Nobody logs a body, a token or a password, and what looks like
one all the same, in a library's message or a traceback, is blotted out last.
"""

import re
from collections.abc import MutableMapping
from typing import Any

import orjson
import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from kernel import traces

SECRETS = re.compile(
    r"(?i)(?P<before>://[^/\s:@\"']*:(?=[^/\s]*@)|\b(?:token|bearer|basic)\s+(?=\S{20})"
    r"|\b(?:password|passwd|secret|sessionid|csrftoken|token|code|state)\\?[\"']?\s*[=:]\s*\\?[\"']?)"
    r"(?P<secret>[^\s\\\"'@&,;}]+)"
)
BLOTTED = r"\g<before>***"


READY_LOGGER = "eqtrade.ready"


def settings_of(*, as_json: bool, level: str) -> dict[str, Any]:
    """The setting LOGGING. Servers that set up handlers of their own before ours lose them."""
    quiet = {"handlers": [], "propagate": True}
    servers = ("uvicorn", "uvicorn.error", "_granian", "granian", "granian.access")
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "structured": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": [*_SAID, structlog.stdlib.PositionalArgumentsFormatter()],
                "processors": [
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    structlog.processors.format_exc_info,
                    _as_json if as_json else _as_line,
                ],
            }
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "structured"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            "exchange_calendars": {"level": "WARNING"},
            # Whoever starts a process waits for this line, however little else is said.
            READY_LOGGER: {"level": "INFO"},
            **{name: dict(quiet) for name in servers},
        },
    }


def use_structlog() -> None:
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_SAID,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def _of_its_request(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Django says of some requests how they ended when their context is gone."""
    record = event.get("_record")
    meta = getattr(getattr(record, "request", None), "META", None)
    if meta and "request_id" not in event and (said := meta.get("HTTP_X_REQUEST_ID")):
        event["request_id"] = said
    return event


def _of_its_trace(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    if traces.tracer is not None:
        event.update(traces.tracer.ids())
    return event


_SAID: list[Processor] = [
    structlog.contextvars.merge_contextvars,
    _of_its_trace,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    _of_its_request,
]


def _as_json(_: WrappedLogger, __: str, event: MutableMapping[str, Any]) -> str:
    return blotted(orjson.dumps(event, default=str).decode())


def _as_line(_: WrappedLogger, __: str, event: MutableMapping[str, Any]) -> str:
    first = [str(event.pop(name, "")) for name in ("timestamp", "level", "logger", "event")]
    exception = event.pop("exception", "")
    rest = "".join(f" {name}={value}" for name, value in event.items())
    line = f"{first[0]} {first[1].upper()} {first[2]}: {first[3]}{rest}"
    return blotted(f"{line}\n{exception}" if exception else line)


def blotted(line: str) -> str:
    """The line without what looks like a secret."""
    return SECRETS.sub(BLOTTED, line)
