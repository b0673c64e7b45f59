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


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_each_is_confined(name: str) -> None:
    """It changes no file of its own, has no capability, gains none, and has an end of processes."""
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "cap_add" not in service
    assert "privileged" not in service
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert 0 < service["pids_limit"] <= 512
    mounts = [mount.partition(":")[::2] for mount in service["tmpfs"]]
    assert "/tmp" in dict(mounts)
    for path, options in mounts:
        # Bounded, and nothing that is put there is run.
        assert {"nosuid", "nodev", "noexec"} <= set(options.split(",")), path
        assert "size=" in options, path


def test_nothing_but_data_is_written_to_a_disk() -> None:
    written = {
        name: service["volumes"] for name, service in SERVICES.items() if "volumes" in service
    }
    assert written == {
        "postgres": ["postgres:/var/lib/postgresql/data"],
        "redis": ["redis:/data"],
        "backup": ["backups:/backups"],
        "restore": ["backups:/backups:ro"],
    }


def test_two_parts_have_a_way_out() -> None:
    """Those that fetch prices. All other networks are internal, but nginx's published port."""
    assert {n for n, s in SERVICES.items() if "outside" in s["networks"]} == {
        "worker-prices",
        "prices-stream",
    }
    assert {n for n, s in SERVICES.items() if "entrance" in s["networks"]} == {"nginx"}
    networks = FILE["networks"]
    assert {n for n, told in networks.items() if (told or {}).get("internal")} == {"web", "data"}


def test_secrets_are_files_and_in_no_environment() -> None:
    """Compose can't put one of the environment into a container that is read-only."""
    for name, secret in FILE["secrets"].items():
        assert secret == {"file": f"${{SECRETS_DIR:-./secrets}}/{name}"}
    for service in SERVICES.values():
        for name, value in service.get("environment", {}).items():
            if name.endswith(("_PASSWORD", "_KEY")):
                raise AssertionError(f"{name}={value} is seen by `docker inspect`")
        assert "password" not in " ".join(map(str, service.get("command", [])))


def test_no_secret_enters_an_image_or_the_repository() -> None:
    """The image takes named files only."""
    ignored = (PROJECT / ".dockerignore").read_text().splitlines()
    assert ignored[1] == "*"
    assert not {"!secrets", "!.env", "!.git"} & set(ignored)
    assert {"secrets/", ".env"} <= set((PROJECT / ".gitignore").read_text().splitlines())


def test_what_is_set_passes_through_and_else_is_the_systems_own() -> None:
    environment = FILE["x-environment"]
    for name in ("SECOND_FACTOR", "API_DOCS", "AUDIT_KEEP_DAYS", "AUDIT_ADDRESS_DAYS"):
        assert environment[name] == f"${{{name}:-{getattr(settings, name)}}}"
    for name, service in SERVICES.items():
        if service["image"].startswith("${EQTRADE_IMAGE:-eqtrade}:") and name != "roles":
            assert service["environment"]["SECOND_FACTOR"], name


def test_login_by_oidc_gives_its_part_alone_a_way_out() -> None:
    more = yaml.safe_load((PROJECT / "deploy" / "compose.oidc.yml").read_text())
    assert list(more["services"]) == ["api"]
    api = more["services"]["api"]
    assert api["networks"] == ["outside"]
    assert api["secrets"] == ["oidc_client_secret"]
    for name in api["environment"]:
        assert hasattr(settings, name.removesuffix("_FILE")), name
    assert "OIDC_CLIENT_SECRET" not in api["environment"], "in a file"
