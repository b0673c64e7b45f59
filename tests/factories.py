"""Rows that many tests start from. Plain functions: what they make is what they say."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from accounts.models import Account, Entitlement
from accounts.services import NewToken, token_create
from kernel import clock
from prices.models import CARRIED, MANUAL, Close, Instrument, Quote
from trades.fee_kinds import Fee
from trades.models import Trade
from trades.services.new_trades import new_trade_id
from trades.services.recording import trades_record


def make_user(name: str = "trader", **rights: Any) -> User:
    return User.objects.create_user(name, password="demo", **rights)


def make_token(user: User, *, scope: str = "trade", **more: Any) -> NewToken:
    return token_create(user=user, now=clock.now(), scope=scope, **more)


def make_account(code: str = "Test1", **fields: bool) -> Account:
    return Account.objects.create(code=code, **fields)


def entitle(user: User, account: Account, *, book: bool = False, correct: bool = False) -> None:
    Entitlement.objects.create(user=user, account=account, can_book=book, can_correct=correct)


def make_instrument(ticker: str = "IBM", **fields: bool) -> Instrument:
    return Instrument.objects.create(ticker=ticker, yahoo_symbol=ticker, **fields)


def make_close(instrument: Instrument, session: date, close: str, source: str = MANUAL) -> Close:
    """One that is carried is so for want of one from the current source."""
    return Close.objects.create(
        instrument=instrument,
        session=session,
        close=Decimal(close),
        source=source,
        carried_for=settings.PRICE_SOURCE if source == CARRIED else "",
    )


def make_quote(
    instrument: Instrument, price: str, as_of: datetime, source: str = "simulated"
) -> Quote:
    return Quote.objects.create(
        instrument=instrument, price=Decimal(price), as_of=as_of, source=source
    )


def make_trade(
    user: User,
    account: Account,
    instrument: Instrument,
    quantity: str,
    price: str,
    *,
    trade_date: date,
    at: datetime,
    commission: str | None = None,
    **more: Any,
) -> Trade:
    """Book without checks; a negative quantity sells, and of a price of 0 the note says why. `more`
    are further columns. Needs a transaction, like the service."""
    signed = Decimal(quantity)
    trade = Trade(
        id=new_trade_id(),
        account=account,
        instrument=instrument,
        side="buy" if signed > 0 else "sell",
        quantity=abs(signed),
        price=Decimal(price),
        trade_date=trade_date,
        executed_at=at,
        booked_at=at,
        booked_by=user,
        note="" if Decimal(price) else "Given away",
        **more,
    )
    fees = {} if commission is None else {trade.pk: [Fee("commission", Decimal(commission))]}
    trades_record([trade], fees)
    return trade


def client_of(user: User) -> APIClient:
    client = APIClient()
    client.force_authenticate(user)
    return client
