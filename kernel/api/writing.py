"""Requests that write, where commits wait for a standby (DATABASE_SYNCHRONOUS).

They leave room for those that read. A commit that waits for a standby holds its thread, and
PostgreSQL's own timeouts don't count while it does: a standby that is frozen would hold them all
until it is given up, some seconds later. So many as WRITES_AT_ONCE wait; who comes then is told to
try again.

And success is told when the standby has what it tells of. Who repeats what was done before meets
it, and may write nothing: with nothing to commit it would wait for nobody, and tell of rows that
the primary alone has (kernel.postgres.synchronous).
"""

import threading
from collections.abc import Callable

from django.conf import settings
from django.core.exceptions import MiddlewareNotUsed
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse

from kernel.api.outage import out_of_service
from kernel.database import is_outage
from kernel.postgres import synchronous
from kernel.postgres.base import default_database

PATIENCE_SECONDS = 0.1
READING = ("GET", "HEAD", "OPTIONS")
CREATED = 201


class WritesAwaitStandby:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        if not synchronous.is_on():
            raise MiddlewareNotUsed
        self.get_response = get_response
        self._places = threading.BoundedSemaphore(settings.WRITES_AT_ONCE)

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.method in READING:
            return self.get_response(request)
        if not self._places.acquire(timeout=PATIENCE_SECONDS):
            return out_of_service(request)
        try:
            return self._confirmed(request)
        finally:
            self._places.release()

    def _confirmed(self, request: HttpRequest) -> HttpResponse:
        """What is new was written by this request, and its own commit has waited; unless its
        connection was lost on the way: then it may have found what it wrote before."""
        database = default_database()
        losses = database.losses
        response = self.get_response(request)
        is_own = response.status_code == CREATED and database.losses == losses
        if response.status_code >= 400 or is_own:
            return response
        try:
            synchronous.await_standby()
        except DatabaseError as error:
            if not is_outage(error):
                raise
            return out_of_service(request)
        return response
