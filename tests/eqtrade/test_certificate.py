"""When the certificate ends that callers see is a figure; no answer is none, and no error."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
import trustme
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families as parsed

from eqtrade.certificate import certificate_end, certificate_look
from eqtrade.deployment import deployment
from eqtrade.tasks import heartbeats
from eqtrade.up.valkey import ValkeyServer
from kernel import clock
from tests import factories as make
from tests.tls_door import tls_door

NAME = "eqtrade_certificate_seconds"


@pytest.fixture
def kept(settings: Any) -> Iterator[ValkeyServer]:
    with ValkeyServer.temporary() as server:
        settings.REDIS_URL = server.url()
        settings.HEARTBEATS = {}
        yield server


def figures() -> dict[str, float]:
    staff = Client()
    staff.force_login(make.make_user("ops", is_staff=True))
    text = staff.get("/metrics").content.decode()
    return {s.name: s.value for family in parsed(text) for s in family.samples}


@pytest.mark.parametrize("days", [90, -1])
def test_its_end_is_a_figure_also_when_it_has_ended(
    db: None, kept: ValkeyServer, settings: Any, days: int
) -> None:
    """Of an authority that this machine does not know, too."""
    end = clock.now().replace(microsecond=0) + timedelta(days=days)
    with tls_door(kept.socket, trustme.CA(), until=end) as port:
        settings.DEPLOYMENT = deployment({"PUBLIC_URL": f"https://localhost:{port}"})
        heartbeats()
    assert certificate_end() == end
    assert figures()[NAME] == pytest.approx(days * 86_400, abs=60)


def test_what_does_not_answer_takes_no_figure_away(
    db: None, kept: ValkeyServer, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    settings.DEPLOYMENT = deployment({"PUBLIC_URL": "http://127.0.0.1:9"})
    assert certificate_look() is None
    assert not caplog.records, "without TLS there is nothing to look at"
    assert NAME not in figures()
    end = _seen(kept, settings)
    # The door is closed now.
    assert certificate_look() is None
    assert "was not looked at" in caplog.text
    assert certificate_end() == end


def test_without_redis_there_is_no_figure(db: None, settings: Any) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:9/0"
    settings.DEPLOYMENT = deployment({"PUBLIC_URL": "https://127.0.0.1:9"})
    assert certificate_look() is None
    assert NAME not in figures()


def _seen(kept: ValkeyServer, settings: Any) -> datetime:
    with tls_door(kept.socket, trustme.CA()) as port:
        settings.DEPLOYMENT = deployment({"PUBLIC_URL": f"https://localhost:{port}"})
        end = certificate_look()
    assert end is not None
    return end
