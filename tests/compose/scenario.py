"""The scenario, step by step. A step raises when something is not as it must be."""

import json
from collections.abc import Callable
from decimal import Decimal

import requests

from tests.compose.admin import Admin
from tests.compose.backups import Backups
from tests.compose.desk import FILE_ACCOUNT, PATIENCE, Desk
from tests.compose.project import ONCE, Failed
from tests.stack.bookings import TICKERS
from tests.stack.eventually import eventually

Step = tuple[str, Callable[[], str | None]]

FILE_ROWS = 500
# Killed one after another while bookings go on: a replica of what has two, then what is single.
KILLED = (
    *("api", "ws", "worker-positions", "worker-pnl", "worker-default", "worker-prices"),
    *("worker-imports", "beat", "flower", "redis", "postgres", "nginx"),
)


class Scenario:
    """The whole, but for what is watched (tests/compose/monitoring.py)."""

    def __init__(self, desk: Desk) -> None:
        self.desk, self.project, self.backups = desk, desk.project, Backups(desk)

    def steps(self) -> list[Step]:
        return [
            ("a missing secret is named", self.missing_secret),
            ("up, and every part healthy", self.desk.up),
            ("check --deploy is clean", self.check_deploy),
            ("no container changes its own files or gains rights", self.confined),
            ("the image lists what it is made of", self.inventory),
            ("an administrator, instruments, closes, an account", self.desk.prepare),
            ("nobody but staff gets to Flower and the metrics", self.guarded),
            ("trades through nginx, on the websocket with P&L", self.book_and_watch),
            ("a file of trades through nginx and worker-imports", self.import_file),
            ("two of api, ws and worker-positions; all of them serve", self.scale),
            ("a worker that consumes nothing is unhealthy", self.deaf_worker),
            ("each kind killed while bookings go on", self.kill_each),
            ("api and ws restarted one after the other", self.rolling_restart),
            ("api, ws and a worker replaced by deploy/roll.sh", self.roll),
            ("every acknowledged booking is there, once", self.desk.all_there),
            ("Flower sees workers, tasks and queues", self.flower),
            ("backup", self.backups.backup),
            ("restored into an empty volume, verified", self.backups.restore),
            ("100 more trades, in positions", self.backups.hundred_more),
            ("every acknowledged booking is still there", self.desk.all_there),
            ("PostgreSQL's log is kept from now on", self.backups.keep_log),
            ("restored to a second: what was booked after it is gone", self.backups.restore_to),
            ("every acknowledged booking is there again", self.desk.all_there),
        ]

    # --- up -------------------------------------------------------------------------------------

    def missing_secret(self) -> str:
        file = self.project.secrets_dir / "superuser_password"
        away = file.rename(file.with_suffix(".away"))
        try:
            said = self.project.compose("up", "-d", "postgres", code=1)
        finally:
            away.rename(file)
            # What was made by then has no such mount.
            self.project.compose("rm", "--force", "--stop", "postgres")
        if "superuser_password" not in said:
            raise Failed(f"it is not named: {said}")
        return said.strip().splitlines()[-1]

    def check_deploy(self) -> str:
        said = self.project.run_once(
            "api",
            *("manage", "check", "--deploy", "--database", "default", "--fail-level", "WARNING"),
            options=["-e", "PUBLIC_URL=https://eqtrade.example.com", "-e", "PRICE_SOURCE=yahoo"],
        )
        return said.strip().splitlines()[-1]

    def confined(self) -> str:
        """Asked of the running containers, not of the file."""
        found = self.project.containers()
        script = "touch /probe 2>&1 || true; grep -h -e CapEff -e NoNewPrivs /proc/1/status"
        for one in found:
            if one.service in ONCE:
                continue
            said = self.project.docker("exec", "-u", "0", one.id, "sh", "-c", script)
            assert "Read-only file system" in said, f"{one.service}: {said}"
            rights = dict(line.split(":\t") for line in said.splitlines() if ":\t" in line)
            assert int(rights["CapEff"], 16) == 0, f"{one.service}: {said}"
            assert rights["NoNewPrivs"] == "1", f"{one.service}: {said}"
        return f"{len(found)} containers"

    def inventory(self) -> str:
        """Each package in the image stands in its list, with its version; the front end's too."""
        script = (
            "import json, importlib.metadata as m\n"
            "found = {(d.name.lower().replace('_', '-'), d.version) for d in m.distributions()}\n"
            "told = json.load(open('/srv/sbom/python.cdx.json'))['components']\n"
            "named = {(c['name'].lower().replace('_', '-'), c['version']) for c in told}\n"
            "assert found <= named, found - named\n"
            "pages = json.load(open('/srv/sbom/frontend.cdx.json'))['components']\n"
            "assert {c['name'] for c in pages} >= {'uplot', 'ag-grid-community'}, pages\n"
            "print(len(named), 'of Python,', len(pages), 'of the front end')"
        )
        return self.project.compose("exec", "-T", "api", "python", "-c", script).strip()

    def guarded(self) -> None:
        url = self.project.url
        stranger = requests.get(f"{url}/flower/", allow_redirects=False, timeout=30)
        assert (stranger.status_code, stranger.headers["Location"]) == (
            302,
            f"{url}/login/?next=/flower/",
        )
        assert requests.get(f"{url}/metrics", timeout=30).status_code == 401
        assert requests.get(f"{url}/internal/staff/", timeout=30).status_code == 404
        admin = Admin(url, "admin", self.desk.password)
        assert admin.get("/flower/").status_code == 200
        scraper = {"Authorization": f"Token {self.desk.client.token}"}
        metrics = requests.get(f"{url}/metrics", headers=scraper, timeout=30)
        assert "eqtrade_ledger_same_cluster 1.0" in metrics.text, metrics.text[:500]

    def book_and_watch(self) -> str:
        with self.desk.live() as live:
            booker = self.desk.booker()
            for ticker in TICKERS:
                booker.book(ticker)
            live.wait(lambda live: len(live.state["positions"]) == len(TICKERS))
            # The readers of positions and of P&L come one after the other, in either order.
            live.wait(
                lambda live: all(
                    r["pnl_valid"] and Decimal(r["quantity"]) == 1 for r in live.rows("positions")
                )
            )
            row = live.rows("positions")[0]
        assert row["total_pnl"] is not None, row
        return f"{row['ticker']}: {row['quantity']} at {row['price']}, P&L {row['total_pnl']}"

    def import_file(self) -> str:
        lines = [f"{TICKERS[n % len(TICKERS)]},{FILE_ACCOUNT},buy,1,100" for n in range(FILE_ROWS)]
        body = "\n".join(["ticker,account,side,quantity,price", *lines])
        answer = self.desk.client.session.post(
            f"{self.project.url}/api/v1/trades/imports/",
            files={"file": ("trades.csv", body, "text/csv")},
            timeout=60,
        )
        assert answer.status_code == 202, answer.text
        number = answer.json()["id"]

        def done() -> None:
            state = self.desk.client.get(f"trades/imports/{number}/").json()
            assert (state["state"], state["rows_booked"]) == ("done", FILE_ROWS), state

        eventually(done, seconds=PATIENCE)
        self.desk.file_rows = FILE_ROWS
        self.desk.file_is_there()
        return f"{FILE_ROWS} rows booked"

    # --- many, and dying --------------------------------------------------------------------------

    def scale(self) -> str:
        replicas = {"api": 2, "ws": 2, "worker-positions": 2}
        scales = [part for s, n in replicas.items() for part in ("--scale", f"{s}={n}")]
        options = ("--no-deps", "--no-recreate", "--no-build", *scales)
        self.project.compose("up", "-d", *options, *replicas, seconds=400)
        self.project.wait_well(api=2, ws=2, worker_positions=2)
        return eventually(self._all_serve, seconds=PATIENCE)

    def _all_serve(self) -> str:
        """Requests and sockets until nginx's log names both replicas of each."""
        for _ in range(10):
            self.desk.client.get("accounts/")
            with self.desk.live():
                pass
        nginx = self.project.containers("nginx")[0]
        log = self.project.docker("logs", "--tail", "200", nginx.id)
        seen = {"api": set[str](), "ws": set[str]()}
        for line in log.splitlines():
            told = json.loads(line) if line.startswith('{"timestamp"') else {}
            for part, path in (("api", "/api/v1/accounts/"), ("ws", "/ws/v1/blotter/")):
                if told.get("path", "").startswith(path):
                    seen[part].add(told["upstream"].split(",")[-1].strip())
        for part, addresses in seen.items():
            assert addresses >= self._addresses(part), f"{part}: only {addresses} served"
        return f"api {sorted(seen['api'])}, ws {sorted(seen['ws'])}"

    def _addresses(self, service: str) -> set[str]:
        ids = [one.id for one in self.project.containers(service)]
        network = f"{self.project.name}_web"
        form = f'{{{{(index .NetworkSettings.Networks "{network}").IPAddress}}}}'
        return {f"{ip}:8000" for ip in self.project.docker("inspect", "-f", form, *ids).split()}

    def deaf_worker(self) -> str:
        """It lives and answers pings, and takes no message: its check must say so."""
        worker = self.project.containers("worker-positions")[0]
        name = (
            f"positions@{self.project.docker('inspect', '-f', '{{.Config.Hostname}}', worker.id)}"
        )
        celery = ("exec", worker.id, "python", "-m", "celery", "-A", "eqtrade")
        self.project.docker(*celery, "control", "-d", name.strip(), "cancel_consumer", "positions")
        ping = self.project.docker(*celery, "inspect", "-d", name.strip(), "ping")
        assert "pong" in ping, ping

        def is_unhealthy() -> str:
            health = json.loads(
                self.project.docker("inspect", "-f", "{{json .State.Health}}", worker.id)
            )
            assert health["Status"] == "unhealthy", health["Status"]
            return str(health["Log"][-1]["Output"]).strip()

        said = eventually(is_unhealthy, seconds=PATIENCE)
        # A part that ends is started again: that is how this one is mended, and tried here.
        self.project.docker("exec", worker.id, "sh", "-c", "kill -TERM 1")
        self.project.wait_well(worker_positions=2)
        return said

    def kill_each(self) -> str:
        with self.desk.live() as live:
            with self.desk.booker() as trickle:
                trickle.wait_more(10)
                for service in KILLED:
                    victim = self.project.containers(service)[0]
                    self.project.docker("kill", victim.id)
                    if service not in ("postgres", "nginx"):
                        # Without these two nothing is booked; without all others it goes on.
                        trickle.wait_more(5)
                    self.project.docker("start", victim.id)
                    trickle.wait_more(5)
                self.project.wait_well(api=2, ws=2, worker_positions=2)
                trickle.wait_more(5)
            self.desk.follows(live)
            assert not live.faults, live.faults
        return self.desk.told(trickle)

    def rolling_restart(self) -> str:
        with self.desk.booker() as trickle:
            trickle.wait_more(5)
            for service in ("api", "ws"):
                for one in self.project.containers(service):
                    self.project.docker("restart", one.id)
                    self.project.wait_well(api=2, ws=2)
                    trickle.wait_more(5)
        return self.desk.told(trickle)

    def roll(self) -> str:
        with self.desk.booker() as trickle:
            trickle.wait_more(5)
            said = self.project.script("deploy/roll.sh", "api", "ws", "worker-positions")
            trickle.wait_more(5)
        self.project.wait_well(api=2, ws=2, worker_positions=2)
        return f"{said.strip().splitlines()[-1]}; {self.desk.told(trickle)}"

    # --- what there is --------------------------------------------------------------------------

    def flower(self) -> str:
        admin = Admin(self.project.url, "admin", self.desk.password)
        page = admin.get("/flower/")
        workers = ("positions@", "pnl@", "prices@", "imports@", "default@")
        for worker in workers:
            assert worker in page.text, f"{worker} is not on Flower's page"
        rates = admin.get("/flower/metrics").text
        assert (
            'flower_events_total{task="positions.tasks.apply_ledger",type="task-succeeded"' in rates
        )
        queues = admin.get("/flower/broker").text
        assert "positions" in queues
        # It watches; whoever wants to stop a worker does it where it is logged.
        token = {"X-XSRFToken": admin.session.cookies.get("_xsrf", "")}
        refused = admin.session.post(
            f"{self.project.url}/flower/api/worker/shutdown/x", headers=token, timeout=30
        )
        assert refused.status_code in (401, 403), refused.status_code
        return f"{len(workers)} kinds of workers"
