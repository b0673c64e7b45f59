"""The parts that run, each a service: what it is told, what it may know, how it says it is well.

The commands are those of deploy/entrypoint.sh, as in docker-compose.yml. Knows no AWS library.
"""

from dataclasses import dataclass, field

RUNTIME = ("SECRET_KEY", "DATABASE_PASSWORD", "REDIS_PASSWORD")
"""The secrets of a part that works as the runtime role."""


@dataclass(frozen=True)
class Part:
    """`port` is what Service Connect knows it by, under its own name; None: nobody calls it."""

    name: str
    command: tuple[str, ...]
    port: int | None = None
    cluster: str = "core"
    image: str = "eqtrade"
    secrets: tuple[str, ...] = RUNTIME
    health: tuple[str, ...] = ("/app/deploy/entrypoint.sh", "health")
    stop_seconds: int = 30
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def is_entrance(self) -> bool:
        return self.name == "nginx"


NGINX = Part(
    "nginx",
    (),
    port=8080,
    cluster="entrance",
    image="eqtrade-nginx",
    secrets=(),
    # nginx alone: it is not started anew because api is away.
    health=("curl", "-fsS", "-o", "/dev/null", "http://127.0.0.1:8080/nginx/healthz"),
    # Service Connect writes its names into /etc/hosts, and no name server knows them.
    environment={"NGINX_NAMES": "hosts"},
)


def _worker(queue: str) -> Part:
    # A task is given time to end; what was not done goes back to the queue.
    return Part(queue, ("worker", queue), stop_seconds=60)


SERVED = (
    Part("api", ("api",), port=8000),
    Part("ws", ("ws",), port=8000),
    Part("flower", ("flower",), port=5555),
)
WORKING = (
    *(_worker(queue) for queue in ("positions", "pnl", "prices", "imports", "default")),
    Part("beat", ("beat",)),
    # Prints the system's own figures, of which CloudWatch makes metrics.
    Part("figures", ("manage", "figures"), health=()),
)
PARTS = (NGINX, *SERVED, *WORKING)
BEHIND_NGINX = {part.name: part.port for part in SERVED}

JOBS = {
    # As the database's administrator, then as the owner of the schema: before any service rolls.
    "roles": ("ADMIN_DATABASE_PASSWORD", "OWNER_PASSWORD", "DATABASE_PASSWORD"),
    "migrate": ("SECRET_KEY", "OWNER_DATABASE_PASSWORD", "REDIS_PASSWORD"),
}
