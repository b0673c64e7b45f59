"""A worker's news of its tasks (received, started, succeeded) in one message twice a second.

Celery sends them as they come, each in a message of its own: more work for the worker's loop than
the tasks themselves, and as much again for Flower. Flower shows them half a second later.
"""

from typing import Any

from celery import Celery, bootsteps

EVERY_SECONDS = 0.5
MOST_GATHERED = 1_000


def install(app: Celery) -> None:
    """Have this application's workers gather them."""
    app.steps["consumer"].add(GatheredTaskEvents)


class GatheredTaskEvents(bootsteps.StartStopStep):
    """Runs in the worker's main process, on the timer of its event loop, while it has a broker."""

    requires = ("celery.worker.consumer.events:Events",)

    def __init__(self, consumer: Any, **kwargs: Any) -> None:
        super().__init__(consumer, **kwargs)
        self._timer: Any = None

    def start(self, consumer: Any) -> None:
        # The events' own step has just made it, for this connection to the broker.
        dispatcher = consumer.event_dispatcher
        dispatcher.on_send_buffered = None
        dispatcher.buffer_limit = MOST_GATHERED
        self._timer = consumer.timer.call_repeatedly(EVERY_SECONDS, dispatcher.flush)

    def stop(self, consumer: Any) -> None:
        """Send the last ones: Flower would show those tasks as running for ever."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
            consumer.event_dispatcher.flush()
