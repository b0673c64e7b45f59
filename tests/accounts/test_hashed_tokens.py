"""The migration from keys in clear to hashed tokens."""

from datetime import timedelta
from importlib import import_module

from django.db import connection
from psycopg import connect
from rest_framework.test import APIClient

from accounts.models import AccessToken
from eqtrade.up.postgres import PostgresServer
from kernel import clock
from tests import factories as make

HASH = import_module("accounts.migrations.0004_hash_tokens").HASH
TABLE = """
CREATE TABLE authtoken_token (key varchar(40) PRIMARY KEY, created timestamptz NOT NULL,
    user_id integer NOT NULL UNIQUE REFERENCES auth_user (id));
"""


def test_keys_in_clear_become_tokens(committed_db: PostgresServer) -> None:
    users = [make.make_user(f"user{number}") for number in range(50)]
    keys = {user.pk: f"{user.pk:040x}" for user in users}
    connection.close()
    with connect(committed_db.url("owner", "eqtrade"), autocommit=True) as owner:
        owner.execute(TABLE)
        try:
            for user, key in keys.items():
                owner.execute("INSERT INTO authtoken_token VALUES (%s, now(), %s)", [key, user])
            owner.execute(HASH.encode())
            assert owner.execute("SELECT count(*) FROM authtoken_token").fetchone() == (0,)
        finally:
            owner.execute("DROP TABLE authtoken_token")
    tokens = {token.user_id: token for token in AccessToken.objects.all()}
    assert set(tokens) == set(keys)
    for user, token in tokens.items():
        assert token.scope == "trade"
        assert token.expires_at - token.created_at == timedelta(days=90)
        assert abs(clock.now() - token.created_at) < timedelta(minutes=5)
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION=f"Token {keys[user]}")
        assert client.get("/api/v1/accounts/").status_code == 200


def test_without_that_table_there_is_nothing_to_do(committed_db: PostgresServer) -> None:
    with connect(committed_db.url("owner", "eqtrade"), autocommit=True) as owner:
        owner.execute(HASH.encode())
    assert not AccessToken.objects.exists()
