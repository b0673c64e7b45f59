"""A project with its administrator, its accounts, and what was ever booked in it."""

import secrets
from decimal import Decimal

from tests.compose.admin import Admin
from tests.compose.project import Project
from tests.stack.bookings import TICKERS, Bookings
from tests.stack.client import Client
from tests.stack.eventually import eventually
from tests.stack.live import Live

ACCOUNT, FILE_ACCOUNT = "DESK", "FILE"
A_SECOND = 5
PATIENCE = 180.0


class Desk:
    """What all scenarios share."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.password = secrets.token_urlsafe(12)
        self.bookers: list[Bookings] = []
        self.file_rows = 0
        """Of the file that was imported, each of one share."""
        self.client = Client(project.url)

    def up(self) -> None:
        self.project.compose("up", "-d", "--no-build", "--pull", "missing", seconds=400)
        self.project.wait_well(api=1, ws=1, worker_positions=1, nginx=1)

    def prepare(self) -> None:
        self.project.compose(
            *("exec", "-T", "-e", f"DJANGO_SUPERUSER_PASSWORD={self.password}", "api"),
            *("python", "manage.py", "createsuperuser", "--noinput"),
            *("--username", "admin", "--email", "admin@example.com"),
        )
        self.project.manage("sync_instruments")
        celery = ("exec", "-T", "api", "python", "-m", "celery", "-A", "eqtrade")
        self.project.compose(*celery, "call", "prices.tasks.fetch_closes", "--queue", "prices")
        admin = Admin(self.project.url, "admin", self.password)
        admin.make_account(ACCOUNT)
        admin.make_account(FILE_ACCOUNT)
        self.client = Client.logged_in(self.project.url, "admin", self.password)
        eventually(self._priced, seconds=PATIENCE)

    def _priced(self) -> None:
        rows = self.client.rows("prices/closes/", ticker=TICKERS[0])
        assert rows, "no closes yet"

    def file_is_there(self) -> None:
        def look() -> None:
            assert sum(self.client.quantities(FILE_ACCOUNT).values()) == self.file_rows

        eventually(look, seconds=PATIENCE)

    def all_there(self) -> str:
        """Exactly the acknowledged bookings, each once; positions are their sum, on REST and on a
        new websocket; the projections are verified."""
        rows = self.client.rows("trades/", account=ACCOUNT)
        found = {row["client_trade_id"]: row["id"] for row in rows}
        assert len(found) == len(rows), "a booking is there twice"
        assert found == self.acknowledged, (
            f"{len(self.acknowledged)} acknowledged, {len(found)} found;"
            f" they differ in {found.keys() ^ self.acknowledged.keys()}"
        )
        with self.live() as live:
            self.follows(live)
        self.file_is_there()
        said = self.project.manage("verify")
        assert "no breaks" in said, said
        sent = sum(booker.sent for booker in self.bookers)
        return f"{sent} sent, {len(self.acknowledged)} acknowledged, {len(found)} found; verified"

    def booker(self) -> Bookings:
        self.bookers.append(Bookings(self.client, ACCOUNT, a_second=A_SECOND))
        return self.bookers[-1]

    @property
    def acknowledged(self) -> dict[str, str]:
        """All that was ever acknowledged: client_trade_id → trade."""
        return {own: trade for b in self.bookers for own, trade in b.acknowledged.items()}

    def live(self) -> Live:
        return Live(self.project.url, self.client.token, [ACCOUNT])

    def follows(self, live: Live | None) -> None:
        """Positions come to the number of acknowledged bookings, on REST and on the socket."""

        def look() -> None:
            found = sum(self.client.quantities(ACCOUNT).values())
            assert found == len(self.acknowledged), f"{found} of {len(self.acknowledged)}"
            if live is not None:
                seen = sum(Decimal(r["quantity"]) for r in live.rows("positions"))
                assert seen == len(self.acknowledged), f"the socket told {seen}"

        eventually(look, seconds=PATIENCE)

    @staticmethod
    def told(trickle: Bookings) -> str:
        return (
            f"{trickle.sent} sent, {len(trickle.acknowledged)} acknowledged, {trickle.attempts}"
            f" attempts, slowest {trickle.slowest:.1f} s; repeated after {dict(trickle.repeated)}"
        )
