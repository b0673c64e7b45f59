"""The embedded Valkey: unix socket only, path with a space, queue kept over a restart."""

from pathlib import Path

import pytest
import redis

from eqtrade.up.valkey import ValkeyFailed, ValkeyServer


def test_keys_outlive_a_restart(place: Path) -> None:
    server = ValkeyServer(place / "da ta", place / "v k.sock")
    server.init()
    try:
        for value in (None, b"1"):
            server.start()
            with redis.Redis.from_url(server.url()) as client:
                assert client.get("key") == value
                client.set("key", "1")
            server.stop()
    finally:
        server.stop()


def test_it_has_no_port_and_forgets_nothing_by_itself() -> None:
    with ValkeyServer.temporary() as server, redis.Redis.from_url(server.url(1)) as client:
        assert client.config_get("port") == {"port": "0"}
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}


def test_a_failed_start_shows_the_log(place: Path) -> None:
    server = ValkeyServer(place / "data", place / "missing" / "v.sock")
    server.init()

    with pytest.raises(ValkeyFailed, match="No such file or directory"):
        server.start(seconds=5)
    server.stop()
