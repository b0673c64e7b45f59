"""The stack of the system: network, data, clusters, services, entrance, alarms."""

from aws_cdk import CfnResource, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from constructs import Construct

from deploy.aws.alarms import Alarms, scale
from deploy.aws.compute import Compute
from deploy.aws.data import ADMINISTRATOR, Cache, Database, Key, Secrets
from deploy.aws.entrance import Entrance
from deploy.aws.migration import Migration
from deploy.aws.network import CIDR, Network
from deploy.aws.parts import BEHIND_NGINX, JOBS, PARTS, Part
from deploy.aws.services import Services
from deploy.aws.settings import Installation, Setting, Size

EPHEMERAL = ec2.Port.tcp_range(32_768, 65_535)
# A certificate of the database is of its zone's own authority: without a file of those it is
# encrypted and not looked at, inside a network of our own.
DATABASE_OPTIONS = "sslmode=require"


class System(Stack):
    """One installation in one setting."""

    def __init__(
        self, scope: Construct, name: str, *, setting: Setting, installation: Installation
    ) -> None:
        super().__init__(
            scope,
            name,
            env={"region": installation.region},
            description=f"eqtrade, the {setting.name} setting",
            termination_protection=True,
        )
        key = Key(self, "Encryption").key
        self.vpc = Network(self, "Network", nat_gateways=setting.nat_gateways).vpc
        kept = Secrets(self, "Secrets", key=key)
        self.database = Database(self, "Database", vpc=self.vpc, setting=setting, key=key)
        self.cache = Cache(
            self, "Cache", vpc=self.vpc, setting=setting, key=key,
            password=kept.of["redis_password"],
        )  # fmt: skip
        self.compute = Compute(self, "Compute", vpc=self.vpc, setting=setting, key=key)
        self.services = Services(
            self,
            "Services",
            vpc=self.vpc,
            compute=self.compute,
            setting=setting,
            installation=installation,
            environment=self._environment(installation),
            secrets=self._secrets(kept),
        )
        migration = self._migrate(setting, installation, key)
        running = {part.name: self._run(part, migration) for part in PARTS}
        for name in BEHIND_NGINX:
            # Names that Service Connect knows when a task starts are all that it ever tells it.
            _resource(running["nginx"]).add_dependency(_resource(running[name]))
            self._let_in(running["nginx"], running[name], BEHIND_NGINX[name])
        entrance = Entrance(
            self, "Entrance", vpc=self.vpc, nginx=running["nginx"], setting=setting,
            installation=installation,
        )  # fmt: skip
        alarms = Alarms(self, "Alarms", key=key, alarms_to=installation.alarms_to)
        alarms.of_figures()
        alarms.of_entrance(entrance.balancer, entrance.targets)
        alarms.of_data(self.database, self.cache)
        scale(running, setting)

    def _environment(self, installation: Installation) -> dict[str, str]:
        """What every part is told, as docker-compose.yml does; secrets come apart from it."""
        host = self.database.primary.db_instance_endpoint_address
        at = f"{host}:5432"
        read = {}
        if self.database.replica is not None:
            replica = self.database.replica.db_instance_endpoint_address
            read["DATABASE_READ_URL"] = (
                f"postgres://eqtrade@{replica}:5432/eqtrade?{DATABASE_OPTIONS}"
            )
        return {
            **read,
            **installation.watched,
            "PUBLIC_URL": installation.url,
            "PRICE_SOURCE": "yahoo",
            "TRUSTED_PROXIES": CIDR,
            # Service Connect's proxy stands beside each part, and hands over what nginx sent.
            "TRUSTED_PEERS": f"127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 {CIDR}",
            "DATABASE_URL": f"postgres://eqtrade@{at}/eqtrade?{DATABASE_OPTIONS}",
            "ADMIN_DATABASE_URL": f"postgres://{ADMINISTRATOR}@{at}/postgres?{DATABASE_OPTIONS}",
            "REDIS_URL": f"rediss://{self.cache.USER}@{self.cache.host}:6379/0",
            "HEARTBEAT_FILE": "/tmp/heartbeat.json",
        }

    def _secrets(self, kept: Secrets) -> dict[str, ecs.Secret]:
        admin = self.database.primary.secret
        if admin is None:
            raise ValueError("the database was made without a secret")
        ours = {
            "SECRET_KEY": "secret_key",
            "OWNER_PASSWORD": "owner_password",
            "OWNER_DATABASE_PASSWORD": "owner_password",
            "DATABASE_PASSWORD": "runtime_password",
            "REDIS_PASSWORD": "redis_password",
        }
        found = {n: ecs.Secret.from_secrets_manager(kept.of[s]) for n, s in ours.items()}
        found["ADMIN_DATABASE_PASSWORD"] = ecs.Secret.from_secrets_manager(admin, "password")
        return found

    def _migrate(self, setting: Setting, installation: Installation, key: object) -> Migration:
        capacity = self.compute.capacity.get("core")
        tasks = []
        for job, names in JOBS.items():
            owner = {}
            if job == "migrate":
                url = self._environment(installation)["DATABASE_URL"]
                owner = {"DATABASE_URL": url.replace("//eqtrade@", "//eqtrade_owner@", 1)}
            secrets = {name.replace("OWNER_DATABASE", "DATABASE"): name for name in names}
            part = Part(job, (job,), health=(), environment=owner)
            size = Size(1, 1, 256, 512)
            tasks.append(
                self.services.task(
                    job, size, part=part, secrets=secrets, on_machines=capacity is not None
                )
            )
        group = None
        if capacity is None:
            group = ec2.SecurityGroup(self, "Jobs", vpc=self.vpc)
            self._let_reach_data(group)
        migration = Migration(
            self,
            "Migration",
            tasks=tasks,
            cluster=self.compute.of["core"],
            vpc=self.vpc,
            security_group=group,
            capacity=capacity,
            setting=setting,
            key=key,
            version=installation.version,
        )
        migration.node.add_dependency(self.database, self.cache)
        if capacity is not None:
            self._let_reach_data(self.compute.of["core"])
            migration.node.add_dependency(self.compute)
        return migration

    def _run(self, part: Part, migration: Migration) -> ecs.BaseService:
        service = self.services.service(part)
        _resource(service).add_dependency(migration.done.node.default_child)
        if not part.is_entrance and part.cluster not in self.compute.capacity:
            self._let_reach_data(service)
        return service

    def _let_reach_data(self, who: ec2.IConnectable) -> None:
        self.database.primary.connections.allow_default_port_from(who)
        if self.database.replica is not None:
            self.database.replica.connections.allow_default_port_from(who)
        self.cache.connections.allow_default_port_from(who)

    def _let_in(self, nginx: ecs.BaseService, part: ecs.BaseService, port: int | None) -> None:
        """Of a machine's ports Service Connect takes any; a task of Fargate has its own."""
        on_machines = "core" in self.compute.capacity
        reached = EPHEMERAL if on_machines or port is None else ec2.Port.tcp(port)
        part.connections.allow_from(nginx, reached)


def _resource(service: ecs.BaseService) -> CfnResource:
    """The service alone: its security group is there before what the service waits for."""
    return service.node.find_child("Service")
