from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from audit.models import Record
from tests import factories as make

ADDRESS, REQUEST = "192.0.2.7", "abc123"
Since = Callable[[], list[Any]]


@pytest.fixture
def boss(db: None) -> User:
    return make.make_user("boss", is_staff=True, is_superuser=True)


@pytest.fixture
def client(boss: User) -> Client:
    # As over nginx's unix socket.
    client = Client(headers={"X-Real-IP": ADDRESS, "X-Request-ID": REQUEST}, REMOTE_ADDR="")
    client.force_login(boss)
    return client


@pytest.fixture
def since(db: None) -> Since:
    """The rows since it was asked last."""
    seen = [0]

    def rows() -> list[Any]:
        found = list(Record.objects.filter(pk__gt=seen[0]).order_by("pk"))
        seen[0] = found[-1].pk if found else seen[0]
        return found

    return rows
