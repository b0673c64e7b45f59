"""The effects of a corporate action by account, before and after it is confirmed."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.selectors import viewable_accounts
from kernel import clock
from kernel.api.pages import KeysetPages
from kernel.api.pagination import keyset_page
from kernel.api.queries import QuerySerializer, query_of
from kernel.api.rows import Row, text
from kernel.api.serializers import DayField, DecimalText, TextField
from kernel.errors import NotThere
from kernel.pnl import SHOWN
from pnl.effects import KeyEffect, action_effects
from prices.actions.read import actions_found, as_action, versions_of
from prices.models import Instrument

EXAMPLE = OpenApiExample(
    "A split of 10:1",
    value={
        "account": "Test1", "ticker": "NVDA", "held": "100", "credited": "1000", "quantity": "900",
        "fraction": "0", "cash": "0", "cost": "120000",
        "pnl": [
            {
                "session": "2026-03-16", "trade_pnl": "0", "position_pnl": "902",
                "action_pnl": "0", "total_pnl": "902", "total_without": "-108709",
            }
        ],
    },
    response_only=True,
)  # fmt: skip


class EffectsQuery(QuerySerializer):
    account = serializers.ListField(child=TextField(max_length=32), required=False)


class SessionEffectOut(serializers.Serializer[Any]):
    """P&L of the session with the action, and the total without it."""

    session = DayField()
    total_without = DecimalText(allow_null=True)

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        shown = {name: DecimalText(allow_null=True) for name in SHOWN}
        return {**super().get_fields(), **shown}


class EffectOut(serializers.Serializer[Any]):
    """What the latest version does in one account and ticker. `held` is of the action's own
    instrument, before it; `cash` holds a fraction at the price in lieu, else at the reference;
    `cost` is of what is held after."""

    account = serializers.CharField()
    ticker = serializers.CharField()
    held = DecimalText()
    credited = DecimalText()
    quantity = DecimalText(help_text="What the position moves by.")
    fraction = DecimalText()
    cash = DecimalText()
    cost = DecimalText()
    pnl = SessionEffectOut(many=True)


class ActionEffectsView(APIView):
    pagination_class = KeysetPages

    @extend_schema(
        operation_id="corporate_actions_effects",
        summary="What an action does, by account and ticker",
        description="Of its latest version, beside all other actions that count, whether it counts"
        " itself or not; P&L of the first sessions from the ex-date on.",
        parameters=[EffectsQuery],
        responses=EffectOut(many=True),
        examples=[EXAMPLE],
    )
    def get(self, request: Request, action_id: UUID) -> Response:
        query = query_of(request, EffectsQuery)
        action = actions_found().filter(pk=action_id).first()
        if action is None:
            raise NotThere("There is no such action.")
        accounts = {a.pk: a.code for a in viewable_accounts(request.user, query.get("account"))}
        terms = as_action(versions_of(action)[-1], action.instrument_id)
        found = action_effects(terms, accounts=accounts, now=clock.now())
        tickers = dict(
            Instrument.objects.filter(pk__in={e.instrument for e in found}).values_list(
                "pk", "ticker"
            )
        )
        rows = [_row(effect, accounts, tickers) for effect in found]
        rows.sort(key=lambda row: (row["account"], row["ticker"]))
        page, answer = keyset_page(request, rows, key=lambda r: (r["account"], r["ticker"]))
        return answer(page)


def _row(effect: KeyEffect, accounts: dict[int, str], tickers: dict[int, str]) -> Row:
    return {
        "account": accounts[effect.account],
        "ticker": tickers[effect.instrument],
        "held": text(effect.held),
        "credited": text(effect.credited),
        "quantity": text(effect.quantity),
        "fraction": text(effect.fraction),
        "cash": text(effect.cash),
        "cost": text(effect.cost),
        "pnl": [
            {
                "session": each.session.isoformat(),
                **{name: text(getattr(each, name)) for name in SHOWN},
                "total_without": text(each.total_without),
            }
            for each in effect.sessions
        ],
    }
