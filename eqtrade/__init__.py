"""The Django project. Importing it makes Celery's application the default one for tasks."""

import os
import sys

if not os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT"):
    # redis-py imports these wherever they are installed, for metrics that nobody has asked it for;
    # Celery's application imports redis-py, so this stands before it.
    for _name in ("opentelemetry.metrics", "opentelemetry.sdk.metrics"):
        sys.modules.setdefault(_name, None)  # type: ignore[arg-type]

from eqtrade.celery import app as celery_app

__all__ = ["celery_app"]
