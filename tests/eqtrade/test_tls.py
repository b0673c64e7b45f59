"""TLS to PostgreSQL and Redis by their URLs: a server with another certificate is not spoken to."""

from collections.abc import Iterator
from pathlib import Path
from ssl import CERT_REQUIRED
from typing import Any

import psycopg
import pytest
import redis
import trustme
from channels_redis.pubsub import RedisPubSubChannelLayer
from environ import Env
from flower.utils.broker import Broker
from kombu import Connection
from kombu.exceptions import OperationalError

from eqtrade.redis_urls import broker_tls, broker_url
from eqtrade.up.postgres import PostgresServer
from eqtrade.up.valkey import ValkeyServer
from tests.tls_door import tls_door


@pytest.fixture
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def trusted(authority: trustme.CA, tmp_path: Path) -> Path:
    authority.cert_pem.write_to_path(str(tmp_path / "ours.pem"))
    return tmp_path / "ours.pem"


@pytest.fixture
def other(tmp_path: Path) -> Path:
    """The certificate of an authority that did not make the server's."""
    trustme.CA().cert_pem.write_to_path(str(tmp_path / "other.pem"))
    return tmp_path / "other.pem"


@pytest.fixture
def redis_port(authority: trustme.CA) -> Iterator[int]:
    with ValkeyServer.temporary() as server:
        with redis.Redis.from_url(server.url()) as client:
            client.acl_setuser("eqtrade", enabled=True, passwords=["+a:b@c/d"], keys="*",
                               channels="*", categories=["+@all"])  # fmt: skip
        with tls_door(server.socket, authority) as port:
            yield port


def redis_url(port: int, ca: Path) -> str:
    return f"rediss://eqtrade:a%3Ab%40c%2Fd@localhost:{port}/0?ssl_ca_certs={ca}"


def broker(url: str) -> Connection:
    """As Celery makes it of its settings."""
    options = {"socket_timeout": 10, "socket_connect_timeout": 10}
    return Connection(broker_url(url), ssl=broker_tls(url) or False, transport_options=options)


def test_redis_by_its_library_and_kombu(redis_port: int, trusted: Path) -> None:
    url = redis_url(redis_port, trusted)
    with redis.Redis.from_url(url) as client:
        assert client.acl_whoami() == "eqtrade"
    with broker(url) as connection:
        queue = connection.SimpleQueue("tls")
        queue.put("by kombu")
        assert queue.get(timeout=10).payload == "by kombu"


async def test_redis_by_flower(redis_port: int, trusted: Path, other: Path) -> None:
    url = redis_url(redis_port, trusted)
    flower: Any = Broker(broker_url(url), broker_use_ssl=broker_tls(url))
    assert await flower.redis.acl_whoami() in ("eqtrade", b"eqtrade")
    await flower.redis.aclose()
    url = redis_url(redis_port, other)
    flower = Broker(broker_url(url), broker_use_ssl=broker_tls(url))
    with pytest.raises(redis.ConnectionError, match="CERTIFICATE_VERIFY_FAILED"):
        await flower.redis.acl_whoami()
    await flower.redis.aclose()


async def test_redis_by_the_channel_layer(redis_port: int, trusted: Path) -> None:
    layer = RedisPubSubChannelLayer(hosts=[redis_url(redis_port, trusted)], prefix="eqtrade")
    channel = await layer.new_channel()
    await layer.group_add("desk", channel)
    await layer.group_send("desk", {"type": "said"})
    assert await layer.receive(channel) == {"type": "said"}
    await layer.flush()


def test_a_redis_of_another_authority_is_refused(redis_port: int, other: Path) -> None:
    url = redis_url(redis_port, other)
    with (
        redis.Redis.from_url(url) as client,
        pytest.raises(redis.ConnectionError, match="CERTIFICATE_VERIFY_FAILED"),
    ):
        client.ping()
    with broker(url) as connection, pytest.raises(OperationalError, match="CERTIFICATE_VERIFY"):
        connection.ensure_connection(max_retries=1, timeout=20)


def test_kombu_checks_unless_told_otherwise() -> None:
    """By itself it would take any certificate, and say so in a log line only."""
    assert broker_tls("redis://redis:6379/0") is None
    assert broker_tls("amqps://rabbitmq.example.com//") is None
    assert broker_tls("rediss://redis:6379/0") == {"ssl_cert_reqs": CERT_REQUIRED}
    with pytest.raises(ValueError, match="ssl_cert_reqs"):
        broker_tls("rediss://redis:6379/0?ssl_cert_reqs=perhaps")


@pytest.fixture
def postgres_port(cluster: PostgresServer, authority: trustme.CA) -> Iterator[int]:
    with tls_door(cluster.socket_dir / ".s.PGSQL.5432", authority, postgres=True) as port:
        yield port


def connected(port: int, ca: Path) -> psycopg.Connection[Any]:
    """As Django connects by a DATABASE_URL with these parameters."""
    url = f"postgres://postgres:s@localhost:{port}/postgres?sslmode=verify-full&sslrootcert={ca}"
    found = Env.db_url_config(url)
    login = {"dbname": found["NAME"], "user": found["USER"], "password": found["PASSWORD"]}
    return psycopg.connect(
        **login, host=found["HOST"], port=found["PORT"], connect_timeout=10, **found["OPTIONS"]
    )


def test_postgresql_by_its_url(postgres_port: int, trusted: Path) -> None:
    with connected(postgres_port, trusted) as connection:
        assert connection.pgconn.ssl_in_use
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_a_postgresql_of_another_authority_is_refused(postgres_port: int, other: Path) -> None:
    with pytest.raises(psycopg.OperationalError, match="certificate verify failed"):
        connected(postgres_port, other)
