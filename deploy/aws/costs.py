"""What a setting costs a month, as a formula over its own numbers.

    python -m deploy.aws.costs [small|large]

Prices are list prices on demand, in US dollars, of Virginia (us-east-1), as known in June 2025:
look them up before you rely on them; other regions cost up to a quarter more. Without traffic out,
without support and taxes, and at the fewest tasks of each part. Knows no AWS library.
"""

import sys

from deploy.aws.settings import SETTINGS, Machines, Setting
from eqtrade.queues import LEDGER_READERS

HOURS = 730
AS_OF = "2025-06"
HOURLY = {
    # Machines, Linux.
    "t3.micro": 0.0104,
    "t3.medium": 0.0416,
    # A core and a GiB of Fargate, x86.
    "fargate_core": 0.04048,
    "fargate_gib": 0.004445,
    # PostgreSQL in two zones; in one (the replica).
    "t4g.small": 0.065,
    "r7g.xlarge": 0.956,
    "r7g.xlarge single": 0.478,
    # A node of Valkey.
    "cache.t4g.micro": 0.0128,
    "cache.m7g.large": 0.1264,
    "balancer": 0.0225,
    "balancer_unit": 0.008,
    "nat": 0.045,
    "public_address": 0.005,
}
MONTHLY = {
    "disk_gib": 0.08,
    "database_gib_two_zones": 0.23,
    "database_gib": 0.115,
    "secret": 0.40,
    "key": 1.00,
    "metric": 0.30,
    "alarm": 0.10,
    "wall": 5.00 + 1.00,
    "log_gib": 0.50 + 0.03,
    "nat_gib": 0.045,
}
MACHINE_DISK_GIB = 30
SECRETS, ALARMS = 5, 30
FIGURES, FIGURES_OF_A_READER = 29, 2
"""As eqtrade/figures.py prints them: CloudWatch makes a metric of each."""
METRICS = FIGURES + FIGURES_OF_A_READER * len(LEDGER_READERS)
LOG_GIB = {"small": 3, "large": 60}
NAT_GIB = {"small": 5, "large": 20}


def machines(cluster: Machines | None) -> float:
    if cluster is None:
        return 0.0
    disk = MACHINE_DISK_GIB * MONTHLY["disk_gib"]
    return cluster.count * (HOURLY[cluster.type] * HOURS + disk)


def tasks(setting: Setting, *, entrance: bool) -> float:
    """Fargate's, of the entrance or of the core; nothing where machines are paid."""
    if (setting.entrance if entrance else setting.core) is not None:
        return 0.0
    chosen = [size for name, size in setting.parts.items() if (name == "nginx") is entrance]
    cores = sum(size.tasks * size.cpu / 1024 for size in chosen)
    gib = sum(size.tasks * size.memory / 1024 for size in chosen)
    return HOURS * (cores * HOURLY["fargate_core"] + gib * HOURLY["fargate_gib"])


def costs(setting: Setting) -> dict[str, float]:
    """Dollars a month of each thing."""
    disk = setting.database_gib
    database = HOURLY[setting.database] * HOURS + disk * MONTHLY["database_gib_two_zones"]
    replica = 0.0
    if setting.replica:
        replica = HOURLY[f"{setting.database} single"] * HOURS + disk * MONTHLY["database_gib"]
    nat = setting.nat_gateways * (HOURLY["nat"] + HOURLY["public_address"]) * HOURS
    return {
        "entrance: nginx": machines(setting.entrance) + tasks(setting, entrance=True),
        "core: all other parts": machines(setting.core) + tasks(setting, entrance=False),
        "PostgreSQL in two zones": database,
        "its replica": replica,
        "Valkey, two nodes": 2 * HOURLY[setting.cache] * HOURS,
        "balancer": (HOURLY["balancer"] + HOURLY["balancer_unit"] + 2 * HOURLY["public_address"])
        * HOURS,
        "NAT": nat + NAT_GIB[setting.name] * MONTHLY["nat_gib"],
        "wall": MONTHLY["wall"],
        "secrets and key": SECRETS * MONTHLY["secret"] + MONTHLY["key"],
        "logs, figures, alarms": LOG_GIB[setting.name] * MONTHLY["log_gib"]
        + METRICS * MONTHLY["metric"]
        + ALARMS * MONTHLY["alarm"],
    }


def main() -> int:
    for name in sys.argv[1:] or SETTINGS:
        found = costs(SETTINGS[name])
        print(f"{name}, dollars a month ({AS_OF}):")
        for what, dollars in found.items():
            print(f"  {what:<26}{dollars:>9.2f}")
        print(f"  {'together':<26}{sum(found.values()):>9.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
