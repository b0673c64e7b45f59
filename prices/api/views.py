"""Reading instruments and prices; setting prices by hand."""

from datetime import date, datetime
from typing import Any, cast

from django.contrib.auth.models import User
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from kernel import clock
from kernel.api.pages import KeysetPages
from kernel.api.pagination import keyset_page
from kernel.api.queries import query_of
from kernel.api.rows import moment
from kernel.errors import FieldError, Invalid
from prices.api.filters import CloseQuery, InstrumentQuery, PriceQuery, SeriesQuery
from prices.api.serializers import (
    CloseOut,
    InstrumentIn,
    InstrumentOut,
    LinesOut,
    NothingIn,
    OverrideIn,
    OverrideOut,
    PriceOut,
    SeriesOut,
)
from prices.closes.effective_close import effective_closes
from prices.closes.read import closes_at
from prices.current_marks import marks
from prices.models import Instrument
from prices.quotes.series import LINE_EVERY, price_lines, price_series
from prices.references import opening_closes
from prices.rows import price_row
from prices.selectors import active_overrides, instruments_found, priced_ids
from prices.services.instruments import instrument_add
from prices.services.overrides import override_end, override_set
from prices.sessions import NoSession, day_start, sessions

DEFAULT_SESSIONS = 11
# One answer is put together in memory, however many pages it has.
MAX_CLOSES = 100_000
EXAMPLE_PRICE = OpenApiExample(
    "A simulated price",
    value={
        "ticker": "IBM",
        "price": "144.07",
        "as_of": "2026-01-30T15:04:05Z",
        "age_seconds": 2,
        "stale": False,
        "source": "simulated",
        "override": False,
        "doubtful": False,
        "previous_close": "143.33",
    },
    response_only=True,
)
EXAMPLE_CLOSE = OpenApiExample(
    "A close",
    value={"ticker": "IBM", "session": "2026-01-29", "close": "143.33", "source": "simulated"},
    response_only=True,
)
EXAMPLE_SERIES = OpenApiExample(
    "The first two minutes",
    value={
        "ticker": "IBM",
        "session": "2026-01-30",
        "previous_close": "143.33",
        "points": [
            {"at": "2026-01-30T14:30:00Z", "price": "143.50"},
            {"at": "2026-01-30T14:31:00Z", "price": "143.62"},
        ],
    },
    response_only=True,
)
EXAMPLE_LINES = OpenApiExample(
    "A share in the first half hour",
    value={
        "session": "2026-01-30",
        "starts_at": "2026-01-30T05:00:00Z",
        "every_seconds": 600,
        "lines": [
            {"ticker": "IBM", "minutes": [579, 589, 595], "prices": ["143.50", "143.62", "144.07"]}
        ],
    },
    response_only=True,
)
EXAMPLE_OVERRIDE = OpenApiExample(
    "IBM at 144.07 until the end of the business date",
    value={"ticker": "IBM", "price": "144.07", "reason": "Halted; last price at the broker"},
    request_only=True,
)
ACTIVE = {
    "id": 7,
    "ticker": "IBM",
    "price": "144.07",
    "reason": "Halted; last price at the broker",
    "user": "admin",
    "created_at": "2026-01-30T15:04:05Z",
    "expires_at": "2026-01-31T05:00:00Z",
    "ended_at": None,
    "ended_by": None,
}
EXAMPLE_ACTIVE = OpenApiExample("One that counts", value=ACTIVE, response_only=True)
EXAMPLE_ENDED = OpenApiExample(
    "Ended before its time",
    value={**ACTIVE, "ended_at": "2026-01-30T16:20:00Z", "ended_by": "admin"},
    response_only=True,
)
EXAMPLE_INSTRUMENT = OpenApiExample(
    "An instrument",
    value={
        "ticker": "IBM",
        "name": "International Business Machines Corporation",
        "exchange": "XNYS",
        "currency": "USD",
        "is_active": True,
    },
    response_only=True,
)


EXAMPLE_ADDED = OpenApiExample(
    "An ETF",
    value={"ticker": "SPY", "name": "SPDR S&P 500 ETF Trust", "exchange": "ARCX"},
    request_only=True,
)


class InstrumentListView(APIView):
    pagination_class = KeysetPages

    @extend_schema(
        operation_id="instruments_list",
        summary="Instruments, by ticker; with a search, an exact ticker first",
        parameters=[InstrumentQuery],
        responses=InstrumentOut(many=True),
        examples=[EXAMPLE_INSTRUMENT],
    )
    def get(self, request: Request) -> Response:
        search = query_of(request, InstrumentQuery).get("search", "")
        wanted = search.upper()

        def key(instrument: Instrument) -> tuple[str, ...]:
            exact, begins = instrument.ticker == wanted, instrument.ticker.startswith(wanted)
            return "0" if exact else "1" if begins else "2", instrument.ticker

        found = sorted(instruments_found(search), key=key)
        page, answer = keyset_page(request, found, key=key)
        return answer(InstrumentOut(page, many=True).data)

    @extend_schema(
        operation_id="instruments_add",
        summary="Add a listed name outside the index (permission `prices.add_instrument`)",
        description="An ETF, an ADR, a share that no index has. It is priced once it is held or"
        " traded, if the price source knows it in USD; else operations are told its name.",
        request=InstrumentIn,
        responses={201: InstrumentOut},
        examples=[EXAMPLE_ADDED],
    )
    def post(self, request: Request) -> Response:
        given = InstrumentIn(data=request.data)
        given.is_valid(raise_exception=True)
        return Response(InstrumentOut(instrument_add(**given.validated_data)).data, status=201)


class PriceListView(APIView):
    pagination_class = KeysetPages

    @extend_schema(
        operation_id="prices_list",
        summary="Current prices, by ticker",
        description="The marks of the business date of all priced instruments, or of those named.",
        parameters=[PriceQuery],
        responses=PriceOut(many=True),
        examples=[EXAMPLE_PRICE],
    )
    def get(self, request: Request) -> Response:
        now = clock.now()
        tickers = query_of(request, PriceQuery).get("ticker")
        found = sorted(marks(now, _wanted(tickers, now)), key=lambda mark: mark.ticker)
        page, answer = keyset_page(request, found, key=lambda mark: (mark.ticker,))
        return answer([price_row(mark, now) for mark in page])


class CloseListView(APIView):
    pagination_class = KeysetPages

    @extend_schema(
        operation_id="prices_closes_list",
        summary="Official closes, by session and ticker",
        parameters=[CloseQuery],
        responses=CloseOut(many=True),
        examples=[EXAMPLE_CLOSE],
    )
    def get(self, request: Request) -> Response:
        query, now = query_of(request, CloseQuery), clock.now()
        first, last = _range(query, now)
        instruments = _wanted(query.get("ticker"), now)
        _refuse_too_many(len(sessions().sessions_between(first, last)) * len(instruments))
        page, answer = keyset_page(
            request,
            list(effective_closes(instruments, first, last)),
            key=lambda close: (close.session.isoformat(), close.instrument.ticker),
        )
        return answer(CloseOut(page, many=True).data)


class SeriesView(APIView):
    @extend_schema(
        operation_id="prices_series",
        summary="One instrument's prices over a session, for a chart",
        description="The last sessions are kept; of others there are no points.",
        parameters=[SeriesQuery],
        responses=SeriesOut,
        examples=[EXAMPLE_SERIES],
    )
    def get(self, request: Request) -> Response:
        query, known = query_of(request, SeriesQuery), sessions()
        instrument = Instrument.objects.filter(ticker=query["ticker"]).first()
        if instrument is None:
            raise Invalid(FieldError("unknown_ticker", "This ticker is not known.", "ticker"))
        session: date = query.get("session") or known.business_date(clock.now())
        if not known.is_session(session):
            raise Invalid(FieldError("no_session", f"There is no session on {session}.", "session"))
        before = (instrument.pk, known.previous_session(session))
        opens = (instrument.pk, session)
        close = opening_closes(
            {opens: closes_at([before]).get(before)}, known=known, now=clock.now()
        )[opens]
        answer = {
            "ticker": instrument.ticker,
            "session": session,
            "previous_close": close.close if close else None,
            "points": price_series(instrument.pk, session),
        }
        return Response(SeriesOut(answer).data)


class LinesView(APIView):
    @extend_schema(
        operation_id="prices_lines",
        summary="The business date's prices of many in few points, for small lines",
        description="Of all that are priced, or of the tickers named; without those that have no"
        " price today, and without tickers that are not known.",
        parameters=[PriceQuery],
        responses=LinesOut,
        examples=[EXAMPLE_LINES],
    )
    def get(self, request: Request) -> Response:
        now = clock.now()
        wanted = _wanted(query_of(request, PriceQuery).get("ticker"), now)
        session = sessions().business_date(now)
        lines = price_lines(wanted, session)
        tickers = dict(Instrument.objects.filter(pk__in=lines).values_list("pk", "ticker"))
        rows = [{"ticker": tickers[pk], **line._asdict()} for pk, line in lines.items()]
        return Response(
            {
                "session": session.isoformat(),
                "starts_at": moment(day_start(session)),
                "every_seconds": int(LINE_EVERY.total_seconds()),
                "lines": rows,
            }
        )


class OverrideListView(APIView):
    pagination_class = KeysetPages

    @extend_schema(
        operation_id="prices_overrides_list",
        summary="Prices by hand that count now, by ticker (who may see or set them)",
        description="At most one an instrument. All that ever were are in the admin.",
        parameters=[PriceQuery],
        responses=OverrideOut(many=True),
        examples=[EXAMPLE_ACTIVE],
    )
    def get(self, request: Request) -> Response:
        tickers = query_of(request, PriceQuery).get("ticker")
        page, answer = keyset_page(
            request,
            active_overrides(clock.now(), tickers),
            key=lambda override: (override.instrument.ticker,),
        )
        return answer(OverrideOut(page, many=True).data)

    @extend_schema(
        operation_id="prices_overrides_set",
        summary="Set a price by hand (permission `prices.override`)",
        description="It beats quotes until it expires or is ended, and ends the one before it. One"
        " more than 50% from the last price is asked about: 409 `confirmation_required`.",
        request=OverrideIn,
        responses={201: OverrideOut},
        examples=[EXAMPLE_OVERRIDE],
    )
    def post(self, request: Request) -> Response:
        given = OverrideIn(data=request.data)
        given.is_valid(raise_exception=True)
        override = override_set(user=_user(request), now=clock.now(), **given.validated_data)
        return Response(OverrideOut(override).data, status=201)


class OverrideEndView(APIView):
    @extend_schema(
        operation_id="prices_overrides_end",
        summary="End a price set by hand (permission `prices.override`)",
        description="One that has ended stays as it is: a second call is harmless.",
        request=NothingIn,
        responses={200: OverrideOut},
        examples=[EXAMPLE_ENDED],
    )
    def post(self, request: Request, override_id: int) -> Response:
        NothingIn(data=request.data).is_valid(raise_exception=True)
        override = override_end(user=_user(request), override_id=override_id, now=clock.now())
        return Response(OverrideOut(override).data)


def _user(request: Request) -> User:
    """The caller, where the permission lets nobody anonymous through."""
    return cast(User, request.user)


def _wanted(tickers: list[str] | None, now: datetime) -> list[int]:
    """Ids of the instruments named, or of all that are priced; an unknown ticker has none."""
    if tickers is None:
        return list(priced_ids(now))
    return list(Instrument.objects.filter(ticker__in=tickers).values_list("pk", flat=True))


def _range(query: dict[str, Any], now: datetime) -> tuple[date, date]:
    known = sessions()
    last: date = query.get("to") or known.business_date(now)
    first: date | None = query.get("from")
    if first is None:
        first = last
        try:
            for _ in range(DEFAULT_SESSIONS - known.is_session(last)):
                first = known.previous_session(first)
        except NoSession:
            pass  # Before the calendar begins there are no closes either.
    if first > last:
        raise Invalid(FieldError("invalid", "This is after `to`.", "from"))
    return first, last


def _refuse_too_many(closes: int) -> None:
    if closes > MAX_CLOSES:
        detail = f"That is up to {closes:,} closes; ask for at most {MAX_CLOSES:,}."
        raise Invalid(FieldError("too_many", f"{detail} Name tickers, or a later `from`.", "from"))
