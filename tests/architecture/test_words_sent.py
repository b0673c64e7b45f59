"""What a body says is never repeated unread: REST framework's own field of a choice does so, and
half a character then fails the answer."""

from django.urls import get_resolver
from rest_framework import serializers

from kernel.api.queries import QuerySerializer
from kernel.api.serializers import OneOf, StrictSerializer


def _kinds(of: type[StrictSerializer]) -> set[type[StrictSerializer]]:
    return {of}.union(*map(_kinds, of.__subclasses__()))


def test_a_word_of_few_in_a_body_is_read_by_our_own_field() -> None:
    get_resolver().url_patterns  # noqa: B018  # loads every view, and with it what they read
    # The text of an address holds no half of a character.
    kinds = {kind for kind in _kinds(StrictSerializer) if not issubclass(kind, QuerySerializer)}
    bad = {
        f"{kind.__module__}.{kind.__name__}.{name}"
        for kind in kinds
        for name, field in kind().fields.items()
        if isinstance(field, serializers.ChoiceField) and not isinstance(field, OneOf)
    }
    assert len(kinds) > 15
    assert not bad, sorted(bad)
