"""The page of one's own tokens: what there is, a new one, and taking one back."""

from contextlib import suppress
from datetime import timedelta
from typing import Any

from django import forms
from django.contrib.auth import authenticate
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache

from accounts.models import LONGEST_NAME, Scope
from accounts.selectors import tokens_live
from accounts.services import NewToken, token_create, token_revoke
from kernel import clock
from kernel.errors import NotThere

LIFETIMES = [(12, "12 hours"), (30 * 24, "30 days"), (90 * 24, "90 days"), (365 * 24, "a year")]
SCOPES = [(Scope.READ, "read only"), (Scope.TRADE, "read, book and correct")]


class TokenForm(forms.Form):
    """Asks for the password again, where the user has one: whoever finds a page open does not take
    away a key that outlives it."""

    name = forms.CharField(max_length=LONGEST_NAME, label="What it is for")
    scope = forms.ChoiceField(choices=SCOPES, label="It may")
    hours = forms.TypedChoiceField(choices=LIFETIMES, coerce=int, label="It ends after")
    password = forms.CharField(
        max_length=200,
        strip=False,
        label="Your password",
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )

    def __init__(self, request: HttpRequest, user: User, data: Any = None) -> None:
        super().__init__(data)
        self._request, self.user = request, user
        if not user.has_usable_password():
            del self.fields["password"]

    def clean_password(self) -> str:
        given = str(self.cleaned_data["password"])
        # As at every door, with what counts wrong ones.
        who = authenticate(self._request, username=self.user.get_username(), password=given)
        if not isinstance(who, User) or who.pk != self.user.pk:
            raise forms.ValidationError("This is not your password.")
        self.user = who
        return given


@never_cache
def tokens(request: HttpRequest) -> HttpResponse:
    user = request.user
    assert isinstance(user, User)  # noqa: S101 - the table of authorization
    form = TokenForm(request, user, request.POST or None)
    new: NewToken | None = None
    if request.method == "POST" and form.is_valid():
        asked = form.cleaned_data
        new = token_create(
            user=form.user,
            now=clock.now(),
            name=asked["name"],
            scope=asked["scope"],
            lifetime=timedelta(hours=asked["hours"]),
        )
        form = TokenForm(request, user)
    listed = tokens_live(user, now=clock.now())
    # The one time that the key is shown; it stands in no address and no session.
    return render(
        request, "blotter/tokens.html", {"form": form, "new": new, "tokens": listed[::-1]}
    )


def token_end(request: HttpRequest, token: int) -> HttpResponse:
    user = request.user
    assert isinstance(user, User)  # noqa: S101 - the table of authorization
    # Ended meanwhile, or in another window: it is gone, as was wanted.
    with suppress(NotThere):
        token_revoke(user=user, token=token)
    return redirect("tokens")
