"""docker-compose.yml and the system agree: each queue has a worker, each part its limits."""

import re
from typing import Any

import pytest
import yaml
from django.conf import settings

from eqtrade.queues import queue_names
from eqtrade.up.options import PROJECT

FILE: dict[str, Any] = yaml.safe_load((PROJECT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = FILE["services"]
JOBS = {"roles", "migrate", "backup", "restore"}
PARTS = sorted(SERVICES.keys() - JOBS - {"prices-stream"})


def test_every_queue_has_a_worker() -> None:
    served = [s["command"][1] for s in SERVICES.values() if s.get("command", [""])[0] == "worker"]
    assert sorted(served) == queue_names()


def test_every_app_is_in_the_image_and_within_reach_of_development() -> None:
    ours = [app for app in settings.INSTALLED_APPS if (PROJECT / app).is_dir()]
    assert len(ours) > 5
    taken = (PROJECT / ".dockerignore").read_text().splitlines()
    compiled = re.search("compileall -q (.*)", (PROJECT / "Dockerfile").read_text())
    assert compiled is not None
    develop = (PROJECT / "docker-compose.override.example.yml").read_text()
    for app in ours:
        assert f"!{app}" in taken
        assert app in compiled[1].split()
        assert f"- ./{app}:/app/{app}:ro\n" in develop


def test_one_port_is_published() -> None:
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["nginx"]


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_each_is_limited_and_its_log_rotated(name: str) -> None:
    service = SERVICES[name]
    assert service["mem_limit"]
    assert service["logging"]["options"] == {"max-size": "10m", "max-file": "5"}
    assert service["restart"] == ("no" if name in JOBS else "unless-stopped")


@pytest.mark.parametrize("name", PARTS)
def test_each_part_says_how_it_is(name: str) -> None:
    assert SERVICES[name]["healthcheck"]["test"]


def test_secrets_have_no_default_and_are_in_no_environment() -> None:
    for name, secret in FILE["secrets"].items():
        assert list(secret) == ["environment"], name
    for service in SERVICES.values():
        for name, value in service.get("environment", {}).items():
            if name.endswith(("_PASSWORD", "_KEY")):
                raise AssertionError(f"{name}={value} is seen by `docker inspect`")


def test_only_what_the_example_names_is_asked_for() -> None:
    """Every secret stands in .env.example, without a value."""
    example = (PROJECT / ".env.example").read_text().splitlines()
    for secret in FILE["secrets"].values():
        assert f"#{secret['environment']}=" in example
