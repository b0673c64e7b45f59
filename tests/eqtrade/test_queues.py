"""The names that are said apart from the tasks they name."""

from eqtrade.celery import app
from eqtrade.queues import LEDGER_READERS
from pnl.intraday.ask import TASK
from trades.ledger.nudges import IMPORT_TASK
from trades.ledger.registry import readers


def test_every_reader_of_the_ledger_names_tasks_that_exist() -> None:
    app.loader.import_default_modules()
    assert readers() == list(LEDGER_READERS)
    named = {name for reader in readers() for name in (reader.task, reader.rebuild)}
    assert named | {TASK, IMPORT_TASK} <= app.tasks.keys()
