"""The naive way, for comparison: one Celery task books one trade."""

from decimal import Decimal

from eqtrade.celery import app


@app.task(name="benchmarks.book")
def book(number: int) -> None:
    from django.contrib.auth.models import User

    from benchmarks.ground import ACCOUNTS, INSTRUMENTS
    from kernel import clock
    from trades.services.booking import trade_book
    from trades.terms import Booking

    trade_book(
        user=User.objects.get(username="root"),
        booking=Booking(
            account=f"A{1 + number % ACCOUNTS}",
            ticker=f"T{1 + number % INSTRUMENTS}",
            side="buy",
            quantity=Decimal(1 + number % 900),
            price=Decimal(100 + number % 77),
        ),
        now=clock.now(),
    )
