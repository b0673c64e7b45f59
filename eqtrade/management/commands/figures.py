"""The system's figures for who has no login: printed each minute for CloudWatch
(eqtrade/figures.py), or served to a Prometheus beside the system."""

import threading
import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.db import DatabaseError, close_old_connections, connection
from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from eqtrade.figures import lines
from eqtrade.metrics import state
from kernel import clock


class _Served(Collector):
    """Each call has a thread of its own, and with it a connection to the database."""

    def collect(self) -> list[Metric]:
        try:
            return state()
        finally:
            connection.close()


class Command(BaseCommand):
    help = "Print the system's figures as CloudWatch's embedded metrics, or serve them."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--every", type=float, default=60.0, help="seconds between two")
        parser.add_argument("--times", type=int, default=0, help="0: without end")
        parser.add_argument(
            "--serve",
            type=int,
            metavar="PORT",
            help="answer Prometheus there instead, without a login: for a network of its own",
        )
        parser.add_argument("--host", default="0.0.0.0")

    def handle(self, *args: Any, every: float, times: int, **options: Any) -> None:
        if options["serve"] is not None:
            self._serve(options["host"], options["serve"])
            return
        done = 0
        while True:
            close_old_connections()
            try:
                for line in lines(state(), clock.now()):
                    self.stdout.write(line)
            except DatabaseError as error:
                # Their absence is what an alarm hears.
                self.stderr.write(f"no figures: {error}")
            self.stdout.flush()
            done += 1
            if done == times:
                return
            time.sleep(every)

    def _serve(self, host: str, port: int) -> None:
        registry = CollectorRegistry(auto_describe=False)
        registry.register(_Served())
        server, thread = start_http_server(port, host, registry)
        self.stdout.write(f"figures on port {server.server_port}")
        self.stdout.flush()
        while thread.is_alive():
            thread.join(timeout=threading.TIMEOUT_MAX)
