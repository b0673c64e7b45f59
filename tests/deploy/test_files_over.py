"""The files over docker-compose.yml: two of what may die, and all as confined as in the first."""

import re

import pytest
import yaml

from eqtrade.up.options import PROJECT
from tests.deploy.compose_files import read

BASE = read("docker-compose.yml")
HA, PITR = read("docker-compose.ha.yml"), read("deploy/compose.pitr.yml")
HA_PITR = read("deploy/compose.ha.pitr.yml")
MONITORING = read("docker-compose.monitoring.yml")
OVER = (("ha", HA), ("pitr", PITR), ("ha.pitr", HA_PITR), ("monitoring", MONITORING))
NEW = {
    f"{file}: {name}": service
    for file, services in OVER
    for name, service in services.items()
    if name not in BASE
    and name not in ("nginx2", "figures")
    and not (services is HA_PITR and name in HA)
}


@pytest.mark.parametrize("name", sorted(NEW))
def test_what_is_added_is_as_confined(name: str) -> None:
    service = NEW[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert 0 < service["pids_limit"] <= 512
    assert service["mem_limit"]
    assert service["logging"]["options"] == {"max-size": "10m", "max-file": "5"}
    for mount in service["tmpfs"]:
        assert {"nosuid", "nodev", "noexec"} <= set(mount.partition(":")[2].split(","))
    if service.get("restart") != "no":
        assert service["healthcheck"]["test"]
    assert "outside" not in service["networks"]
    for variable in service.get("environment", {}):
        assert not variable.endswith(("_PASSWORD", "_KEY", "_PASS"))


def test_every_part_that_works_knows_both_databases() -> None:
    parts = [
        name
        for name, service in BASE.items()
        if service.get("environment", {}).get("DATABASE_URL") and name != "migrate"
    ]
    assert len(parts) >= 10
    for name in parts:
        told = HA[name]["environment"]
        assert told["DATABASE_SYNCHRONOUS"] == "1", name
        url = told["DATABASE_URL"]
        assert "pg1:5432,pg2:5432" in url
        assert "target_session_attrs=read-write" in url
        # One that vanished says nothing: it must be noticed before a client gives up.
        assert int(re.findall(r"tcp_user_timeout=(\d+)", url)[0]) <= 10_000
    for name in ("roles", "migrate"):
        assert "pg1:5432,pg2:5432" in str(HA[name]["environment"])
    for name in ("backup", "restore"):
        assert HA[name]["environment"]["PGHOST"] == "pg1,pg2"


def test_there_are_two_of_each_that_may_be() -> None:
    twice = {name for name, service in HA.items() if service.get("deploy") == {"replicas": 2}}
    workers = {name for name in BASE if name.startswith("worker-")}
    assert twice == {"api", "ws", "beat", *workers}
    assert HA["postgres"]["profiles"] == ["single"], "in its place are pg1 and pg2"
    assert {"pg1", "pg2", "etcd1", "etcd2", "etcd3", "nginx2", "balancer"} <= HA.keys()


def test_both_nginx_and_the_balancer_are_published() -> None:
    published = {name: s["ports"] for name, s in {**HA, **PITR}.items() if "ports" in s}
    assert published.keys() == {"balancer", "nginx", "nginx2"}
    # On this machine alone, unless somebody says otherwise.
    assert all(":-127.0.0.1:" in port for ports in published.values() for port in ports)


def test_the_balancer_asks_each_nginx_for_itself() -> None:
    text = (PROJECT / "deploy/ha/haproxy.cfg").read_text()
    assert "option httpchk GET /nginx/healthz" in text
    assert re.findall(r"^    server (\S+) (\S+)$", text, re.M) == [
        ("nginx", "nginx:8080"),
        ("nginx2", "nginx2:8080"),
    ]
    assert "location = /nginx/healthz" in (PROJECT / "deploy/nginx.conf.template").read_text()


def test_a_failover_loses_nothing_that_was_acknowledged() -> None:
    settings = yaml.safe_load((PROJECT / "deploy/ha/patroni.yml").read_text())
    shared = settings["bootstrap"]["dcs"]
    assert shared["synchronous_mode"] is True
    assert shared["postgresql"]["parameters"]["synchronous_commit"] == "on"
    assert shared["postgresql"]["parameters"]["hot_standby_feedback"] == "off"
    assert shared["postgresql"]["parameters"]["max_prepared_transactions"] == 0
    # As Patroni demands: a round and two tries fit into a lease.
    assert shared["ttl"] >= shared["loop_wait"] + 2 * shared["retry_timeout"]


def test_backups_are_encrypted_and_the_log_is_kept() -> None:
    script = (PROJECT / "deploy/backup/pgbackrest.sh").read_text()
    assert "CIPHER_TYPE=aes-256-cbc" in script
    assert "/run/secrets/backup_key" in script
    archived = (PROJECT / "deploy/backup/archived.sh").read_text()
    assert "archive_mode=on" in archived
    assert "archive-push" in archived
    for name in ("postgres", "backups", "restore-to"):
        assert "backup_key" in PITR[name]["secrets"]
    # With two servers, too.
    kept = yaml.safe_load((PROJECT / "deploy/ha/archived.yml").read_text())["postgresql"]
    assert kept["parameters"]["archive_mode"] == "on"
    assert "archive-push" in kept["parameters"]["archive_command"]
    assert set(HA_PITR) == {"pg1", "pg2", "backups1", "backups2", "restore-to"}
    places = {service["environment"]["CLUSTER"] for service in HA_PITR.values()}
    assert len(places) == 1
    for service in HA_PITR.values():
        assert {"backup_key", "superuser_password"} <= set(service["secrets"])
        assert "archive:/backups" in service["volumes"]
