"""The forms that ask for a code, with what counts wrong ones."""

from typing import Any

from allauth.core import context
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from django import forms

from accounts.second_factor import LONGEST_CODE, code_tried


class _Counted(forms.Form):
    code = forms.CharField(
        max_length=LONGEST_CODE,
        label="Code",
        widget=forms.TextInput(
            attrs={
                "autocomplete": "one-time-code",
                "autocapitalize": "none",
                "spellcheck": "false",
                "autofocus": True,
            }
        ),
    )
    user: Any

    def clean_code(self) -> str:
        code = str(self.cleaned_data["code"])
        self.authenticator = code_tried(context.request, self.user, code)
        if self.authenticator is None:
            raise forms.ValidationError("This code is wrong, or was used already.")
        return code


class CodeForm(_Counted, AuthenticateForm):
    """The second step of a login."""


class CodeAgainForm(_Counted, ReauthenticateForm):
    """Of who is logged in, before they change their second factor."""
