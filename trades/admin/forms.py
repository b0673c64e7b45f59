"""Forms of corrections. What is read here is read as strictly as over REST."""

from typing import Any

from django import forms
from django.contrib.admin.widgets import AdminDateWidget
from rest_framework import serializers

from accounts.models import Account
from kernel.api.serializers import AmountField, TextField
from kernel.errors import ConfirmationRequired
from kernel.money import normalized
from trades.fee_kinds import Fee, amounts, fee_amount
from trades.fields import amount_field
from trades.models import Side, Trade
from trades.selectors import fees_of, settlement_of
from trades.terms import (
    AMENDABLE,
    FEE_COLUMNS,
    FEES,
    PRICE_ZERO,
    REASON_LONGEST,
    SETTLEMENT,
    Amendment,
    Kind,
    Term,
)


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
        TextField(max_length=REASON_LONGEST),
        help_text=f"Why, for whoever looks at this trade later. {what}",
        widget=forms.TextInput(attrs={"size": 80, "maxlength": REASON_LONGEST}),
    )


class ReasonForm(forms.Form):
    reason = reason_field("It stands in the cancelled version.")


class Asks(forms.Form):
    """A form that guards may ask about: saving the same again confirms."""

    confirm = forms.CharField(required=False, widget=forms.HiddenInput)

    def ask(self, asked: ConfirmationRequired) -> None:
        """Show what was asked; the form then carries the token."""
        for doubt in asked.errors:
            attr = doubt.attr if doubt.attr in self.fields else None
            self.add_error(attr, f"{doubt.detail} Save again to confirm.")
        self.data = {**self.data.dict(), self.add_prefix("confirm"): asked.token}  # type: ignore[attr-defined]


class CancelForm(Asks, ReasonForm):
    version = forms.IntegerField(min_value=1, widget=forms.HiddenInput)
    prefix = "cancel"


_HELP = {
    "price": "In US dollars.",
    "settlement_date": "Follows the trade date unless another was said.",
    "price_zero": "A price of 0 is meant; the note says why.",
}
# A price of 0 is meant only where somebody says so: it is never filled in.
_TERMS = tuple(term for term in AMENDABLE if term is not FEES)
_FIELDS = (*_TERMS, PRICE_ZERO)


def _field(term: Term) -> forms.Field:
    """The form's field of a term that may change."""
    required, help_text = not (term.may_be_blank or term.may_be_null), _HELP.get(term.name, "")
    if term.name == "account":
        return forms.ChoiceField()
    if term.kind is Kind.SIDE:
        return forms.ChoiceField(choices=Side.choices)
    if term.kind is Kind.DAY:
        return forms.DateField(
            widget=AdminDateWidget, required=term is not SETTLEMENT, help_text=help_text
        )
    if term.kind is Kind.AMOUNT:
        return ApiField(amount_field(term), required=required, help_text=help_text)
    if term.kind is Kind.FLAG:
        return forms.BooleanField(required=False, label=term.label, help_text=help_text)
    return ApiField(TextField(max_length=term.longest), required=required, help_text=help_text)


def _fee_field(term: Term) -> forms.Field:
    return ApiField(
        AmountField(read=fee_amount, required=False),
        required=False,
        label=f"Fee, {term.label.lower()}",
        help_text="In US dollars, paid; a rebate is below zero.",
    )


class CorrectionForm(Asks):
    """New terms of one trade, filled with those that it has."""

    prefix = "amend"
    version = forms.IntegerField(min_value=1, widget=forms.HiddenInput)
    reason = reason_field("It stands in the new version.")

    def __init__(self, *args: Any, trade: Trade, accounts: list[Account], **kwargs: Any) -> None:
        self.trade = trade
        self._paid = fees_of(trade.pk, [trade.version]).get(trade.version, ())
        paid = {kind: normalized(amount) for kind, amount in amounts(self._paid).items()}
        kwargs["initial"] = {**_terms_of(trade), **paid, "version": trade.version}
        super().__init__(*args, **kwargs)
        self.fields.update({term.name: _field(term) for term in _FIELDS})
        self.fields.update({term.name: _fee_field(term) for term in FEE_COLUMNS})
        names = [term.name for term in (*_FIELDS, *FEE_COLUMNS)]
        self.order_fields(["version", "confirm", *names, "reason"])
        choices = [(a.code, f"{a.code} {a.name}".strip()) for a in accounts]
        self.fields["account"].choices = choices  # type: ignore[attr-defined]

    def _fees(self) -> tuple[Fee, ...] | None:
        """All fees of the trade as they were typed; None where they are those that it has."""
        typed = {
            term.name: self.cleaned_data[term.name]
            for term in FEE_COLUMNS
            if self.cleaned_data[term.name] != ""
        }
        if typed == amounts(self._paid):
            return None
        return tuple(Fee(kind, amount) for kind, amount in typed.items())

    def terms(self) -> Amendment:
        """The terms that differ from the trade's; the others stay, whatever they are."""
        had = _terms_of(self.trade)
        given = {name: self.cleaned_data[name] for name in had}
        given["ticker"] = given["ticker"].upper()
        amounts = {t.name: getattr(self.trade, t.name) for t in _TERMS if t.kind is Kind.AMOUNT}
        now = {**had, **amounts}
        changed = {name: value for name, value in given.items() if value != (now[name] or "")}
        zero = self.cleaned_data[PRICE_ZERO.name]
        return Amendment(**changed, fees=self._fees(), price_zero=zero)


def _terms_of(trade: Trade) -> dict[str, Any]:
    found = {term.name: getattr(trade, term.column) for term in _TERMS}
    for term in _TERMS:
        if term.kind is Kind.AMOUNT:
            found[term.name] = normalized(found[term.name])
    return {
        **found,
        "account": trade.account.code,
        "ticker": trade.instrument.ticker,
        "settlement_date": settlement_of(trade),
        "strategy": trade.strategy and trade.strategy.code,
        "counterparty": trade.counterparty and trade.counterparty.code,
    }
