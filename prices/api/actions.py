"""Corporate actions: proposed, amended, confirmed, cancelled, read."""

from datetime import date
from functools import partial
from typing import Any, cast
from uuid import UUID

from django.contrib.auth.models import User
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from kernel.actions import Fractions
from kernel.api.pages import KeysetPages
from kernel.api.pagination import keyset_page
from kernel.api.queries import QuerySerializer, query_of
from kernel.api.rows import Row, moment, text
from kernel.api.serializers import (
    AmountField,
    DayField,
    DecimalText,
    FlagField,
    MomentField,
    OneOf,
    StrictSerializer,
    TextField,
    WholeNumber,
)
from kernel.errors import NotThere
from kernel.money import AmountRefused, amount_of
from prices.actions.read import actions_found, versions_of
from prices.actions.record import action_amend, action_cancel, action_confirm, action_propose
from prices.actions.suggest import Suggestion, suggestions
from prices.actions.terms import LegTerms, Terms
from prices.models import ActionKind, ActionStatus, CorporateAction, CorporateActionVersion

_AmountOrZero = partial(AmountField, read=partial(amount_of, zero=True))

SPLIT = {
    "ticker": "NVDA",
    "kind": "split",
    "ex_date": "2024-06-10",
    "keep_new": "10",
    "keep_old": "1",
    "reason": "Announced on 22 May 2024",
}
SHOWN = {
    "id": "018fd2a5-0c3c-7c58-b2a7-3f6d2b1f7a10",
    "ticker": "NVDA",
    "kind": "split",
    "ex_date": "2024-06-10",
    "sequence": 1,
    "version": 1,
    "status": "proposed",
    "confirmed_version": None,
    "keep_new": "10",
    "keep_old": "1",
    "fractions": "cash",
    "cash": "0",
    "cash_is_income": False,
    "cost_to_cash": "0",
    "legs": [],
    "cash_in_lieu": {},
    "pay_date": None,
    "actor": "middleoffice",
    "reason": "Announced on 22 May 2024",
    "recorded_at": "2024-06-07T14:03:00Z",
    "decisions": [],
}
EXAMPLE_SPLIT = OpenApiExample("A 10:1 split", value=SPLIT, request_only=True)
EXAMPLE_SPIN_OFF = OpenApiExample(
    "One share of the child for four",
    value={
        "ticker": "GE",
        "kind": "spin_off",
        "ex_date": "2024-04-02",
        "legs": [{"ticker": "GEV", "new": "1", "old": "4", "cost_share": "0.19"}],
        "cash_in_lieu": "141.20",
        "reason": "Information statement",
    },
    request_only=True,
)
EXAMPLE_SHOWN = OpenApiExample("As proposed", value=SHOWN, response_only=True)
OF_THE_ACTION = {"id", "ticker", "status", "confirmed_version"}
EXAMPLE_VERSION = OpenApiExample(
    "The first",
    value={name: value for name, value in SHOWN.items() if name not in OF_THE_ACTION},
    response_only=True,
)
EXAMPLE_SUGGESTION = OpenApiExample(
    "A split",
    value={
        "ticker": "NVDA", "kind": "split", "ex_date": "2026-03-16", "keep_new": "10",
        "keep_old": "1", "cash": "0", "source": "yahoo",
    },
    response_only=True,
)  # fmt: skip
EXAMPLE_AMENDMENT = OpenApiExample(
    "Another ratio",
    value={"version": 1, "keep_new": "20", "reason": "The ratio was misread"},
    request_only=True,
)
EXAMPLE_DECISION = OpenApiExample(
    "Seen and right", value={"version": 1, "reason": "Checked with the issuer"}, request_only=True
)


class LegIn(StrictSerializer):
    """Shares of another instrument, `new` for `old` of the action's own."""

    ticker = TextField(max_length=16)
    new = AmountField()
    old = AmountField()
    cost_share = _AmountOrZero(required=False)


@extend_schema_field(
    {
        "oneOf": [
            {"type": "string", "format": "decimal"},
            {"type": "object", "additionalProperties": {"type": "string", "format": "decimal"}},
        ],
        "example": "66.50",
    }
)
class InLieuField(serializers.Field[Any, Any, Any, Any]):
    """One price, or one by ticker."""

    _ticker = TextField()

    def to_internal_value(self, data: Any) -> Any:
        try:
            if isinstance(data, dict):
                return {
                    self._ticker.to_internal_value(ticker)[:16]: amount_of(price)
                    for ticker, price in data.items()
                }
            return amount_of(data)
        except AmountRefused as refusal:
            raise serializers.ValidationError(refusal.detail, code=refusal.code) from refusal

    def to_representation(self, value: Any) -> Any:
        return value


class _TermsIn(StrictSerializer):
    """What is left out is what the kind says: 1:1 or 0 shares, no cash, no legs."""

    kind = OneOf(choices=ActionKind.values)
    ex_date = DayField()
    sequence = WholeNumber(required=False, min_value=1, max_value=99)
    keep_new = _AmountOrZero(required=False, help_text="Shares after,")
    keep_old = AmountField(required=False, help_text="for so many before.")
    fractions = OneOf(choices=[each.value for each in Fractions], required=False)
    cash = _AmountOrZero(required=False, help_text="For each share before.")
    cash_is_income = FlagField(required=False)
    cost_to_cash = _AmountOrZero(
        required=False, help_text="The share of the cost that is realized against the cash."
    )
    legs = LegIn(many=True, required=False)
    cash_in_lieu = InLieuField(
        required=False, help_text="The price at which fractions are paid, or one by ticker."
    )
    pay_date = DayField(required=False)


class ActionIn(_TermsIn):
    ticker = TextField(max_length=16)
    reason = TextField(max_length=200)


class ActionAmendmentIn(_TermsIn):
    """The terms that change; the others stay as in the latest version."""

    version = WholeNumber()
    reason = TextField(max_length=200)
    kind = OneOf(choices=ActionKind.values, required=False)
    ex_date = DayField(required=False)


class ActionDecisionIn(StrictSerializer):
    version = WholeNumber()
    reason = TextField(max_length=200)


class ActionQuery(QuerySerializer):
    ticker = serializers.ListField(child=TextField(max_length=16), required=False)
    status = serializers.ListField(
        child=serializers.ChoiceField(choices=ActionStatus.values), required=False
    )

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        return {
            **super().get_fields(),
            "from": DayField(required=False, help_text="Ex-dates, inclusive."),
            "to": DayField(required=False),
        }


class LegOut(serializers.Serializer[Any]):
    ticker = serializers.CharField()
    new = DecimalText()
    old = DecimalText()
    cost_share = DecimalText()


class ActionDecisionOut(serializers.Serializer[Any]):
    decision = serializers.ChoiceField(choices=["confirmed", "cancelled", "withdrawn"])
    actor = serializers.CharField()
    reason = serializers.CharField()
    recorded_at = MomentField()


class ActionVersionOut(serializers.Serializer[Any]):
    """One version's terms, who proposed them, and what was decided of them."""

    version = serializers.IntegerField()
    kind = serializers.ChoiceField(choices=ActionKind.values)
    ex_date = DayField()
    sequence = serializers.IntegerField()
    keep_new = DecimalText()
    keep_old = DecimalText()
    fractions = serializers.ChoiceField(choices=[each.value for each in Fractions])
    cash = DecimalText()
    cash_is_income = serializers.BooleanField()
    cost_to_cash = DecimalText()
    legs = LegOut(many=True)
    cash_in_lieu = serializers.DictField(child=DecimalText())
    pay_date = DayField(allow_null=True)
    actor = serializers.CharField()
    reason = serializers.CharField()
    recorded_at = MomentField()
    decisions = ActionDecisionOut(many=True)


class ActionOut(ActionVersionOut):
    """An action with the terms of its latest version. `confirmed_version` is the one that counts;
    none where nothing does."""

    id = serializers.UUIDField()
    ticker = serializers.CharField()
    status = serializers.ChoiceField(choices=ActionStatus.values)
    confirmed_version = serializers.IntegerField(allow_null=True)


class ActionListView(APIView):
    pagination_class = KeysetPages

    @extend_schema(
        operation_id="corporate_actions_list",
        summary="Corporate actions, by ex-date, the last first",
        parameters=[ActionQuery],
        responses=ActionOut(many=True),
        examples=[EXAMPLE_SHOWN],
    )
    def get(self, request: Request) -> Response:
        query = query_of(request, ActionQuery)
        found = actions_found(
            tickers=query.get("ticker"),
            statuses=query.get("status"),
            first=query.get("from"),
            last=query.get("to"),
        )
        page, answer = keyset_page(request, list(found), key=_last_first)
        return answer([action_row(action) for action in page])

    @extend_schema(
        operation_id="corporate_actions_create",
        summary="Propose an action (permission `prices.manage_actions`)",
        description="It counts once it is confirmed. Look at its effects before.",
        request=ActionIn,
        responses={201: ActionOut},
        examples=[EXAMPLE_SPLIT, EXAMPLE_SPIN_OFF, EXAMPLE_SHOWN],
    )
    def post(self, request: Request) -> Response:
        given = ActionIn(data=request.data)
        given.is_valid(raise_exception=True)
        values = dict(given.validated_data)
        reason = values.pop("reason")
        action = action_propose(
            user=cast(User, request.user), terms=Terms(**_terms(values)), reason=reason
        )
        return Response(action_row(action), status=201)


class SuggestionOut(serializers.Serializer[Any]):
    """A split or dividend that the price source tells of, in the terms of a proposal."""

    ticker = serializers.CharField()
    kind = serializers.ChoiceField(choices=ActionKind.values)
    ex_date = DayField()
    keep_new = DecimalText()
    keep_old = DecimalText()
    cash = DecimalText()
    source = serializers.CharField()  # type: ignore[assignment]


class SuggestionListView(APIView):
    pagination_class = KeysetPages

    @extend_schema(
        operation_id="corporate_actions_suggestions",
        summary="What the price source tells of and no action answers, the last first",
        description="Nothing of it counts: it is proposed and confirmed by people, or left.",
        responses=SuggestionOut(many=True),
        examples=[EXAMPLE_SUGGESTION],
    )
    def get(self, request: Request) -> Response:
        query_of(request, QuerySerializer)
        page, answer = keyset_page(
            request, suggestions(), key=lambda s: (_days_left(s.ex_date), s.ticker, s.kind)
        )
        return answer([_suggestion_row(suggestion) for suggestion in page])


class ActionView(APIView):
    @extend_schema(
        operation_id="corporate_actions_retrieve",
        summary="An action, with the terms of its latest version",
        responses=ActionOut,
        examples=[EXAMPLE_SHOWN],
    )
    def get(self, request: Request, action_id: UUID) -> Response:
        return Response(action_row(action_of(action_id)))

    @extend_schema(
        operation_id="corporate_actions_amend",
        summary="Propose another version (permission `prices.manage_actions`)",
        description="What was confirmed goes on counting until this is. `version` is the latest;"
        " 409 `stale_version` when there is a later one.",
        request=ActionAmendmentIn,
        responses=ActionOut,
        examples=[EXAMPLE_AMENDMENT],
    )
    def patch(self, request: Request, action_id: UUID) -> Response:
        given = ActionAmendmentIn(data=request.data)
        given.is_valid(raise_exception=True)
        values = dict(given.validated_data)
        action = action_amend(
            user=cast(User, request.user),
            action_id=action_id,
            version=values.pop("version"),
            reason=values.pop("reason"),
            changed=_terms(values),
        )
        return Response(action_row(action))


class ActionConfirmView(APIView):
    @extend_schema(
        operation_id="corporate_actions_confirm",
        summary="Make the latest version count (permission `prices.manage_actions`)",
        description="From its ex-date on, in every account that held the instrument before; P&L of"
        " sessions since is restated. A second call is harmless.",
        request=ActionDecisionIn,
        responses={200: ActionOut},
        examples=[EXAMPLE_DECISION],
    )
    def post(self, request: Request, action_id: UUID) -> Response:
        given = ActionDecisionIn(data=request.data)
        given.is_valid(raise_exception=True)
        action = action_confirm(
            user=cast(User, request.user), action_id=action_id, **given.validated_data
        )
        return Response(action_row(action))


class ActionCancelView(APIView):
    @extend_schema(
        operation_id="corporate_actions_cancel",
        summary="Cancel an action, or withdraw a proposal (permission `prices.manage_actions`)",
        description="With the confirmed `version` nothing of it counts any more; with that of a"
        " proposal beside it only the proposal goes. A second call is harmless.",
        request=ActionDecisionIn,
        responses={200: ActionOut},
        examples=[EXAMPLE_DECISION],
    )
    def post(self, request: Request, action_id: UUID) -> Response:
        given = ActionDecisionIn(data=request.data)
        given.is_valid(raise_exception=True)
        action = action_cancel(
            user=cast(User, request.user), action_id=action_id, **given.validated_data
        )
        return Response(action_row(action))


class ActionVersionsView(APIView):
    @extend_schema(
        operation_id="corporate_actions_versions",
        summary="The versions of an action, oldest first, and what was decided of each",
        responses=ActionVersionOut(many=True),
        examples=[EXAMPLE_VERSION],
    )
    def get(self, request: Request, action_id: UUID) -> Response:
        return Response([version_row(version) for version in versions_of(action_of(action_id))])


def action_of(action_id: UUID) -> CorporateAction:
    """Raises NotThere."""
    found = actions_found().filter(pk=action_id).first()
    if found is None:
        raise NotThere("There is no such action.")
    return found


def action_row(action: CorporateAction) -> Row:
    """An action as users see it."""
    return {
        "id": str(action.pk),
        "ticker": action.instrument.ticker,
        "status": action.status,
        "confirmed_version": action.confirmed_version,
        **version_row(versions_of(action)[-1]),
    }


def version_row(version: CorporateActionVersion) -> Row:
    """A version as users see it."""
    return {
        "version": version.version,
        "kind": version.kind,
        "ex_date": version.ex_date.isoformat(),
        "sequence": version.sequence,
        "keep_new": text(version.keep_new),
        "keep_old": text(version.keep_old),
        "fractions": version.fractions,
        "cash": text(version.cash),
        "cash_is_income": version.cash_is_income,
        "cost_to_cash": text(version.cost_to_cash),
        "legs": [
            {
                "ticker": leg.instrument.ticker,
                "new": text(leg.new),
                "old": text(leg.old),
                "cost_share": text(leg.cost_share),
            }
            for leg in version.legs.all()
        ],
        "cash_in_lieu": {
            each.instrument.ticker: text(each.price) for each in version.in_lieu.all()
        },
        "pay_date": version.pay_date.isoformat() if version.pay_date else None,
        "actor": version.actor.username,
        "reason": version.reason,
        "recorded_at": moment(version.recorded_at),
        "decisions": [
            {
                "decision": each.decision,
                "actor": each.actor.username,
                "reason": each.reason,
                "recorded_at": moment(each.recorded_at),
            }
            for each in version.decisions.all()
        ],
    }


def _terms(values: dict[str, Any]) -> dict[str, Any]:
    if "legs" in values:
        values["legs"] = tuple(LegTerms(**leg) for leg in values["legs"])
    return values


def _suggestion_row(suggestion: Suggestion) -> Row:
    return {
        "ticker": suggestion.ticker,
        "kind": suggestion.kind,
        "ex_date": suggestion.ex_date.isoformat(),
        "keep_new": text(suggestion.keep_new),
        "keep_old": text(suggestion.keep_old),
        "cash": text(suggestion.cash),
        "source": suggestion.source,
    }


def _last_first(action: CorporateAction) -> tuple[str, ...]:
    return _days_left(action.ex_date), f"{action.sequence:02}", str(action.pk)


def _days_left(day: date) -> str:
    """Later dates come first: the rest of the calendar in days, of fixed width."""
    return f"{date.max.toordinal() - day.toordinal():07}"
