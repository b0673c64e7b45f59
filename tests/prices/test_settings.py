"""Price settings that are refused at the start, and beat's schedule."""

from pathlib import Path
from typing import Any

import pytest
from celery import current_app
from django_celery_beat.models import PeriodicTask

from prices.checks import price_source
from prices.sources import SOURCES, source


def ids(settings: Any) -> list[str | None]:
    return [message.id for message in price_source()]


@pytest.mark.parametrize("name", ["simulated", "yahoo"])
def test_a_known_source_passes_the_check(settings: Any, name: str) -> None:
    settings.PRICE_SOURCE = name
    assert ids(settings) == []
    assert source().name == name


def test_an_unknown_source_is_an_error(settings: Any) -> None:
    settings.PRICE_SOURCE = "bloomberg"
    assert ids(settings) == ["prices.E001"]
    assert "bloomberg" not in SOURCES


def test_csv_needs_its_file(settings: Any, tmp_path: Path) -> None:
    settings.PRICE_SOURCE, settings.PRICE_FILE = "csv", ""
    assert ids(settings) == ["prices.E002"]
    settings.PRICE_FILE = str(tmp_path)
    assert ids(settings) == ["prices.E002"]
    file = tmp_path / "prices.csv"
    file.touch()
    settings.PRICE_FILE = str(file)
    assert ids(settings) == []


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["Refresh quotes", "Simulated ticks", "Fetch closes"])
def test_each_schedule_names_a_task_that_exists(name: str) -> None:
    import prices.tasks  # noqa: F401 - registers them

    row = PeriodicTask.objects.get(name=name)
    assert row.task in current_app.tasks
    assert row.queue == "prices"
    assert row.expire_seconds is not None
