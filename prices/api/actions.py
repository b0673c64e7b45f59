"""Corporate actions: proposed, amended, confirmed, cancelled, read."""

from datetime import date
from typing import Any, cast
from uuid import UUID

from django.contrib.auth.models import User
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from kernel.api.pages import KeysetPages
from kernel.api.pagination import keyset_page
from kernel.api.queries import QuerySerializer, query_of
from kernel.api.rows import Row, moment, text
from kernel.errors import NotThere
from prices.actions.read import actions_found, versions_of
from prices.actions.record import action_amend, action_cancel, action_confirm, action_propose
from prices.actions.suggest import Suggestion, suggestions
from prices.actions.terms import LegTerms, Terms
from prices.api.action_shapes import (
    EXAMPLE_AMENDMENT,
    EXAMPLE_DECISION,
    EXAMPLE_SHOWN,
    EXAMPLE_SPIN_OFF,
    EXAMPLE_SPLIT,
    EXAMPLE_SUGGESTION,
    EXAMPLE_VERSION,
    ActionAmendmentIn,
    ActionDecisionIn,
    ActionIn,
    ActionOut,
    ActionQuery,
    ActionVersionOut,
    SuggestionOut,
)
from prices.models import CorporateAction, CorporateActionVersion


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
