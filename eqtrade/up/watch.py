"""Tells what happened to the children between two looks at them."""

from collections.abc import Iterable

from eqtrade.up.supervision import ProgramState


class Watch:
    """Compares the programs with the look before; the first look says nothing."""

    def __init__(self) -> None:
        self._pids: dict[str, int] = {}
        self._down: set[str] = set()
        self._given_up: set[str] = set()

    def news(self, states: Iterable[ProgramState]) -> list[str]:
        """One line for each program that died, does not come up or runs again."""
        return [line for now in states for line in self._news(now)]

    def _news(self, now: ProgramState) -> list[str]:
        before, self._pids[now.name] = self._pids.get(now.name, 0), now.pid
        lines = []
        if before and now.pid != before and now.name not in self._down:
            self._down.add(now.name)
            lines.append(f"{now.name} died (pid {before}); restarting it")
        if now.state == "FATAL" and now.name not in self._given_up:
            self._given_up.add(now.name)
            self._down.add(now.name)
            why = f" ({now.problem})" if now.problem else ""
            lines.append(f"{now.name} does not come up{why}; trying on, see its log")
        if now.state == "RUNNING" and now.name in self._down:
            self._down.discard(now.name)
            self._given_up.discard(now.name)
            lines.append(f"{now.name} runs again (pid {now.pid})")
        return lines
