"""Runs one step's command in a session of its own, so that it can be ended with all it started."""

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from eqtrade.up.files import tail
from eqtrade.up.leftovers import ProcessFile
from eqtrade.up.options import PROJECT


class StepFailed(RuntimeError):
    """A step of the start failed; the message says which, and ends with what it printed."""


class Command:
    """A command that runs beside us; `finish` waits for it. Its output goes to a log."""

    def __init__(
        self,
        name: str,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        log: Path,
        processes: ProcessFile,
    ) -> None:
        self.name = name
        self._log = log
        self._processes = processes
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                list(arguments),
                cwd=PROJECT,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        processes.record(name, self._process.pid)

    def finish(self) -> str:
        """Wait for the command and return what it printed; raises `StepFailed`.

        Interrupted, it ends the command first.
        """
        try:
            code = self._process.wait()
        except BaseException:
            self.end()
            raise
        self._processes.forget(self.name)
        if code != 0:
            raise StepFailed(
                f"{self.name} failed (exit {code}). Its log {self._log} ends with:\n"
                f"{tail(self._log)}"
            )
        return self._log.read_text(errors="replace")

    def end(self) -> None:
        """End the command and its session when it still runs."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            if self._process.poll() is not None:
                break
            try:
                os.killpg(self._process.pid, number)
                self._process.wait(5)
            except (ProcessLookupError, subprocess.TimeoutExpired):
                continue
        self._processes.forget(self.name)
