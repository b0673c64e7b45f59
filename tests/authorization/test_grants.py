"""Migrations give the new permissions to who had what they stand for."""

from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, Permission, User

from tests import factories as make


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("migration", "had", "gets"),
    [
        ("prices.migrations.0013_override_permission", "add_priceoverride", "prices.override"),
        ("trades.migrations.0021_guarded_accounts", "override", "trades.manage_guards"),
        ("blotter.migrations.0002_exception_reviews", "manage_guards", "blotter.review_exceptions"),
        ("kernel.migrations.0002_duties", "change_periodictask", "kernel.schedules"),
    ],
)
def test_who_had_it_gets_it(migration: str, had: str, gets: str) -> None:
    old, user, other = Permission.objects.get(codename=had), make.make_user(), make.make_user("o")
    group = Group.objects.create(name="g")
    user.user_permissions.add(old)
    group.permissions.add(old)
    member = make.make_user("member")
    member.groups.add(group)
    module: Any = import_module(migration)
    module.grant(apps, None)
    module.grant(apps, None)
    for who, has in ((user, True), (member, True), (other, False)):
        assert User.objects.get(pk=who.pk).has_perm(gets) is has
