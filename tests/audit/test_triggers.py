"""The database records what `audit.tables` says, column for column."""

import pytest
from django.apps import apps
from django.db import connection

from audit.tables import AUDITED
from audit.triggers import arguments


@pytest.mark.django_db
def test_every_table_has_the_trigger_that_is_written() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tgrelid::regclass::text, encode(tgargs, 'escape') FROM pg_trigger"
            " WHERE tgname = 'eqtrade_audit'"
        )
        installed = {table: args.split("\\000")[:4] for table, args in cursor.fetchall()}
    assert installed == {table: arguments(table) for table in AUDITED}


def test_columns_that_are_masked_or_ignored_exist() -> None:
    columns = {
        model._meta.db_table: {field.column for field in model._meta.concrete_fields}
        for model in apps.get_models(include_auto_created=True)
    }
    for table, of in AUDITED.items():
        assert {*of.masked, *of.ignored} <= columns[table], table


def test_no_secret_is_left_out() -> None:
    """A column that is named like one is masked, in every table that is recorded."""
    for model in apps.get_models(include_auto_created=True):
        of = AUDITED.get(model._meta.db_table)
        if of is not None:
            columns = [field.column for field in model._meta.concrete_fields]
            words = ("password", "secret", "digest", "token")
            named = {column for column in columns if any(word in column for word in words)}
            assert named <= {*of.masked}, model
