"""Who may view what, asked for many at once."""

import pytest
from pytest_django import DjangoAssertNumQueries

from accounts.models import Entitlement
from accounts.selectors import account_rights, viewable
from tests import factories as make

pytestmark = pytest.mark.django_db


def test_many_users_and_accounts_are_asked_in_one_query(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    first, second = make.make_account("Test1"), make.make_account("Test2")
    trader, root = make.make_user("trader"), make.make_user("root", is_superuser=True)
    gone = make.make_user("gone", is_active=False)
    for user in (trader, gone):
        make.entitle(user, first)
    Entitlement.objects.create(user=trader, account=second, can_view=False)
    asked = [
        (user.pk, code) for user in (trader, root, gone) for code in ("Test1", "Test2", "Nowhere")
    ]
    with django_assert_num_queries(1):
        found = viewable(asked)
    assert found == {
        (trader.pk, "Test1"): first.pk,
        (root.pk, "Test1"): first.pk,
        (root.pk, "Test2"): second.pk,
    }
    # The same rule as for one user's list.
    for user in (trader, root, gone):
        mine = {code for (pk, code) in found if pk == user.pk}
        assert mine == {right.account.code for right in account_rights(user)}


def test_nothing_asked_is_nothing_found() -> None:
    assert viewable([]) == {}
