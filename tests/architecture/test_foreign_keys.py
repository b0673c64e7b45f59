"""import-linter can't see a foreign key that names its model in a string."""

import pytest
from django.apps import apps

LAYERS = [
    "kernel",
    "audit",
    "prices",
    "accounts",
    "trades",
    "positions",
    "pnl",
    "blotter",
    "eqtrade",
]


def references() -> list[tuple[str, str]]:
    found = []
    for model in apps.get_models():
        for field in model._meta.get_fields():
            target = getattr(field, "related_model", None)
            if getattr(field, "concrete", False) and target is not None:
                found.append((model._meta.app_label, target._meta.app_label))
    return found


def upward(pairs: list[tuple[str, str]]) -> list[tuple[str, str]]:
    return [
        (of, to)
        for of, to in pairs
        if of in LAYERS and to in LAYERS and LAYERS.index(to) > LAYERS.index(of)
    ]


def test_no_foreign_key_points_up() -> None:
    pairs = references()
    assert ("trades", "accounts") in pairs  # it does see them
    assert upward(pairs) == []


def test_the_test_can_fail() -> None:
    assert upward([("prices", "trades")]) == [("prices", "trades")]


@pytest.mark.django_db
def test_models_and_migrations_agree() -> None:
    from django.core.management import call_command

    call_command("makemigrations", "--check", "--dry-run", verbosity=0)
