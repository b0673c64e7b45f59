"""The two settings: how many of each part, how large, and on what. Knows no AWS library.

Memory is in MiB, CPU in units of 1/1024 core. On machines of our own a part's memory is what is set
aside for it, and it may use twice that; on Fargate it is the whole task, Service Connect's proxy
included (64 MiB and a quarter of a core).
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Size:
    """Tasks of a part: so many, up to so many under load, each so large."""

    tasks: int
    most: int
    cpu: int
    memory: int


@dataclass(frozen=True)
class Machines:
    """Machines of a cluster, of one type, spread over both zones."""

    type: str
    count: int
    most: int


@dataclass(frozen=True)
class Setting:
    """`entrance` and `core` are the machines of the two clusters; without any, Fargate."""

    name: str
    entrance: Machines | None
    core: Machines | None
    nat_gateways: int
    parts: Mapping[str, Size]
    database: str
    database_gib: int
    replica: bool
    cache: str
    backup_days: int
    log_days: int
    calls_in_five_minutes: int
    """Of one address; an office is one. nginx holds back each user beneath it."""


SMALL = Setting(
    name="small",
    # One machine of 1 GiB in each zone for nginx, and one of 4 GiB for all that stands behind it;
    # a second joins while versions change.
    entrance=Machines("t3.micro", 2, 3),
    core=Machines("t3.medium", 1, 2),
    nat_gateways=1,
    parts={
        "nginx": Size(2, 2, 128, 192),
        "api": Size(1, 2, 256, 384),
        "ws": Size(1, 2, 128, 256),
        "positions": Size(1, 2, 128, 256),
        "pnl": Size(1, 2, 128, 256),
        "prices": Size(1, 1, 128, 384),
        "imports": Size(1, 1, 128, 320),
        "default": Size(1, 1, 128, 256),
        "beat": Size(1, 1, 64, 128),
        "flower": Size(1, 1, 64, 192),
        "figures": Size(1, 1, 64, 128),
    },
    database="t4g.small",
    database_gib=20,
    replica=False,
    cache="cache.t4g.micro",
    backup_days=7,
    log_days=30,
    calls_in_five_minutes=30_000,
)

LARGE = Setting(
    name="large",
    entrance=None,
    core=None,
    nat_gateways=2,
    parts={
        "nginx": Size(2, 6, 1024, 2048),
        "api": Size(4, 16, 2048, 4096),
        "ws": Size(2, 8, 1024, 4096),
        "positions": Size(2, 8, 1024, 2048),
        "pnl": Size(2, 8, 1024, 2048),
        "prices": Size(1, 1, 512, 2048),
        "imports": Size(2, 2, 1024, 4096),
        "default": Size(2, 2, 512, 2048),
        "beat": Size(2, 2, 256, 1024),
        "flower": Size(1, 1, 256, 1024),
        "figures": Size(1, 1, 256, 1024),
    },
    database="r7g.xlarge",
    database_gib=400,
    replica=True,
    cache="cache.m7g.large",
    backup_days=35,
    log_days=365,
    calls_in_five_minutes=100_000,
)

SETTINGS = {setting.name: setting for setting in (SMALL, LARGE)}

WATCHED = (
    "HEARTBEAT_CLOSES_URL", "HEARTBEAT_SNAPSHOT_URL", "HEARTBEAT_VERIFY_URL",
    "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_TRACES_SAMPLER", "OTEL_TRACES_SAMPLER_ARG",
)  # fmt: skip
"""What every part may be told of who watches from outside, in the environment (docs/runbooks/
monitoring.md) and, in small letters, as the CDK's context."""


@dataclass(frozen=True)
class Installation:
    """What differs from one installation to the next, given as the CDK's context (`-c name=…`)."""

    region: str
    domain: str
    certificate: str
    """ARN of the domain's certificate in ACM, in this region."""
    version: str
    """Tag of the two images."""
    alarms_to: str
    """An e-mail address, or nothing."""
    watched: Mapping[str, str]
    """Those of WATCHED that are said."""

    @property
    def url(self) -> str:
        return f"https://{self.domain}"
