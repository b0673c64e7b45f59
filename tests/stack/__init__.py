"""One real stack for all tests of pages and one for all others that need one, each started on first
use and stopped after its last test: in a parallel run the two go on at the same time, and where one
process runs all tests, they share one.

A test that asks for `stack` is marked by that: it runs in the process of its stack, and a failure
shows the ends of the stack's logs.
"""

import os
import shutil
import tempfile
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from tests.stack.collector import Collector
from tests.stack.running import RunningStack
from tests.stack.spare import copy_data

PAGES, SERVERS = "stack of pages", "stack of servers"
"""The groups; a test of pages asks for `chromium`."""


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    """The running stack, seeded with demo data. Afterwards none of its processes is left."""
    _no_more_than_groups(tmp_path_factory)
    place = Path(tempfile.mkdtemp(prefix="eqtrade-", dir="/tmp"))
    # PostgreSQL's account passes through it when root runs the tests.
    place.chmod(0o711)
    with Collector() as collector:
        # Nothing is traced but what a test asks for, by a sampled `traceparent` of its own.
        traced = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
            "OTEL_TRACES_SAMPLER": "parentbased_always_off",
        }
        running = RunningStack(place / "the data", settings=traced)
        running.collector = collector
        try:
            running.start()
            yield running
        finally:
            left = running.stop()
            shutil.rmtree(place, ignore_errors=True)
    assert left == [], f"the stack left processes behind: {left}"


@pytest.fixture(scope="session")
def spare_place(stack: RunningStack) -> Iterator[Path]:
    """Where one more stack may run at a time, on a copy of the shared one's data, which stays for
    who comes later."""
    place = Path(tempfile.mkdtemp(prefix="eqtrade spare ", dir="/tmp"))
    place.chmod(0o711)
    copy_data(stack, place / "da ta")
    yield place / "da ta"
    shutil.rmtree(place, ignore_errors=True)


def _no_more_than_groups(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Refuse one more stack in the same run than there are groups: they are not kept then."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        return
    for number in range(len((PAGES, SERVERS))):
        try:
            (tmp_path_factory.getbasetemp().parent / f"stack-{number}").touch(exist_ok=False)
        except FileExistsError:
            continue
        return
    pytest.fail("more stacks than groups of tests were started")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test of the stack, before xdist reads the groups and -m the names."""
    for item in items:
        if uses(item, "stack"):
            item.add_marker(pytest.mark.stack)
            # The first one also waits for the start of everything.
            item.add_marker(pytest.mark.timeout(400))
            item.add_marker(pytest.mark.xdist_group(_group(item)))


def uses(item: pytest.Item, fixture: str) -> bool:
    return fixture in getattr(item, "fixturenames", ())


def _group(item: pytest.Item) -> str:
    """Whoever starts one more stack does so where the tests of servers are."""
    is_page = uses(item, "chromium") and not uses(item, "spare_place")
    return PAGES if is_page else SERVERS


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(
    item: pytest.Item, nextitem: pytest.Item | None
) -> Generator[None, None, None]:
    """End the stack after its last test: one that nobody asks anything still costs a good part of
    a core, for as long as all other tests take."""
    try:
        yield
    finally:
        # Known only where a process runs a whole group one after the other.
        grouped = item.config.getoption("loadgroup", False)
        if grouped and nextitem and uses(item, "stack") and not uses(nextitem, "stack"):
            end("stack", item)


def end(fixture: str, item: pytest.Item) -> None:
    """End this fixture as the session's end does; whoever asks for it later gets another."""
    assert isinstance(item, pytest.Function)
    found = item._request._get_active_fixturedef(fixture)
    found.finish(item._request)  # type: ignore[arg-type]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add the ends of the stack's logs to a failure."""
    report = yield
    running = getattr(item, "funcargs", {}).get("stack")
    if report.failed and isinstance(running, RunningStack):
        report.sections.append(("the stack's logs", running.log_tails()))
    return report
