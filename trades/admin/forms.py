"""Forms of corrections. What is read here is read as strictly as over REST."""

from typing import Any

from django import forms
from django.contrib.admin.widgets import AdminDateWidget
from rest_framework import serializers

from accounts.models import Account
from kernel.api.serializers import AmountField, TextField
from kernel.money import normalized
from trades.models import Side, Trade
from trades.services.correction import Terms


class ApiField(forms.CharField):
    """A text that a field of the API reads."""

    def __init__(self, field: "serializers.Field[Any, Any, Any, Any]", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.field = field

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        if not text and not self.required:
            return ""
        try:
            return self.field.run_validation(text)
        except serializers.ValidationError as error:
            raise forms.ValidationError([str(e) for e in _flat(error.detail)]) from error


def _flat(detail: Any) -> list[Any]:
    return detail if isinstance(detail, list) else [detail]


def reason_field(what: str) -> ApiField:
    return ApiField(
        TextField(max_length=200),
        help_text=f"Why, for whoever looks at this trade later. {what}",
        widget=forms.TextInput(attrs={"size": 80, "maxlength": 200}),
    )


class ReasonForm(forms.Form):
    reason = reason_field("It stands in the cancelled version.")


class CancelForm(ReasonForm):
    version = forms.IntegerField(min_value=1, widget=forms.HiddenInput)
    prefix = "cancel"


class CorrectionForm(forms.Form):
    """New terms of one trade, filled with those that it has."""

    prefix = "amend"
    version = forms.IntegerField(min_value=1, widget=forms.HiddenInput)
    account = forms.ChoiceField()
    ticker = ApiField(TextField(max_length=16))
    side = forms.ChoiceField(choices=Side.choices)
    quantity = ApiField(AmountField())
    price = ApiField(AmountField(), help_text="In US dollars.")
    trade_date = forms.DateField(widget=AdminDateWidget)
    note = ApiField(TextField(max_length=200), required=False)
    reason = reason_field("It stands in the new version.")

    def __init__(self, *args: Any, trade: Trade, accounts: list[Account], **kwargs: Any) -> None:
        self.trade = trade
        kwargs["initial"] = {**_terms_of(trade), "version": trade.version}
        super().__init__(*args, **kwargs)
        choices = [(a.code, f"{a.code} {a.name}".strip()) for a in accounts]
        self.fields["account"].choices = choices  # type: ignore[attr-defined]

    def terms(self) -> Terms:
        """The terms that differ from the trade's; the others stay, whatever they are."""
        had = _terms_of(self.trade)
        given = {name: self.cleaned_data[name] for name in had}
        given["ticker"] = given["ticker"].upper()
        now = {**had, "quantity": self.trade.quantity, "price": self.trade.price}
        return Terms(**{name: value for name, value in given.items() if value != now[name]})


def _terms_of(trade: Trade) -> dict[str, Any]:
    return {
        "account": trade.account.code,
        "ticker": trade.instrument.ticker,
        "side": trade.side,
        "quantity": normalized(trade.quantity),
        "price": normalized(trade.price),
        "trade_date": trade.trade_date,
        "note": trade.note,
    }
