"""A service for each part, and the tasks that run once."""

from aws_cdk import Duration
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam
from aws_cdk import aws_servicediscovery as servicediscovery
from constructs import Construct

from deploy.aws.compute import Compute
from deploy.aws.parts import BEHIND_NGINX, Part
from deploy.aws.settings import Installation, Setting, Size

UNPRIVILEGED = {"eqtrade": "10001:10001", "eqtrade-nginx": "101:101"}


class Services(Construct):
    """Makes task definitions and services, all in the same way."""

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        vpc: ec2.IVpc,
        compute: Compute,
        setting: Setting,
        installation: Installation,
        environment: dict[str, str],
        secrets: dict[str, ecs.Secret],
    ) -> None:
        super().__init__(scope, name)
        self._vpc, self._compute = vpc, compute
        self._setting, self._installation = setting, installation
        self._environment, self._secrets = environment, secrets
        self._names = servicediscovery.HttpNamespace(self, "Names", name=f"eqtrade-{setting.name}")
        self._images = {
            image: ecr.Repository.from_repository_name(self, f"Image-{image}", image)
            for image in UNPRIVILEGED
        }
        # Nobody in a container is anybody in AWS, but for the one that starts it.
        self._starter = iam.Role(
            self, "Starter", assumed_by=iam.ServicePrincipal("ecs-tasks.amazonaws.com")
        )
        self._nobody = iam.Role(
            self, "Nobody", assumed_by=iam.ServicePrincipal("ecs-tasks.amazonaws.com")
        )

    def task(
        self, name: str, size: Size, *, part: Part, secrets: dict[str, str], on_machines: bool
    ) -> ecs.TaskDefinition:
        """The definition of a task of one container. `secrets` maps its variables to ours."""
        roles = {"execution_role": self._starter, "task_role": self._nobody}
        if on_machines:
            # Many tasks share a small machine's few network interfaces.
            definition: ecs.TaskDefinition = ecs.Ec2TaskDefinition(
                self, f"{name}-task", network_mode=ecs.NetworkMode.BRIDGE, **roles
            )
            room = {
                "cpu": size.cpu,
                "memory_reservation_mib": size.memory,
                "memory_limit_mib": size.memory * 2,
                "readonly_root_filesystem": True,
            }
        else:
            definition = ecs.FargateTaskDefinition(
                self, f"{name}-task", cpu=size.cpu, memory_limit_mib=size.memory, **roles
            )
            # Fargate has no memory to mount where a part writes in passing.
            room = {}
        system = ecs.LinuxParameters(self, f"{name}-linux", init_process_enabled=True)
        system.drop_capabilities(ecs.Capability.ALL)
        if on_machines:
            system.add_tmpfs(*_scratch(part))
        container = definition.add_container(
            name,
            image=ecs.ContainerImage.from_ecr_repository(
                self._images[part.image], self._installation.version
            ),
            command=list(part.command) or None,
            user=UNPRIVILEGED[part.image],
            environment={**self._environment, **part.environment},
            secrets={variable: self._secrets[ours] for variable, ours in secrets.items()},
            linux_parameters=system,
            logging=ecs.LogDrivers.aws_logs(
                stream_prefix=name,
                log_group=self._compute.logs,
                # A log that is slow holds up nobody.
                mode=ecs.AwsLogDriverMode.NON_BLOCKING,
            ),
            health_check=ecs.HealthCheck(
                command=["CMD", *part.health],
                interval=Duration.seconds(15),
                timeout=Duration.seconds(15),
                retries=3,
                start_period=Duration.seconds(180),
            )
            if part.health
            else None,
            stop_timeout=Duration.seconds(part.stop_seconds),
            **room,
        )
        container.add_ulimits(
            ecs.Ulimit(name=ecs.UlimitName.NOFILE, soft_limit=16_384, hard_limit=16_384)
        )
        if part.port is not None:
            # Without a protocol Service Connect passes on bytes: a websocket has no time of its
            # own, and a booking is not repeated by anyone but its sender.
            container.add_port_mappings(
                ecs.PortMapping(
                    name=part.name,
                    container_port=part.port,
                    host_port=0 if on_machines else part.port,
                )
            )
        return definition

    def service(self, part: Part) -> ecs.BaseService:
        """A service that stays: in both zones, undone by itself when a new version is not well."""
        size = self._setting.parts[part.name]
        cluster = self._compute.of[part.cluster]
        provider = self._compute.capacity.get(part.cluster)
        secrets = {name: name for name in part.secrets}
        definition = self.task(
            part.name, size, part=part, secrets=secrets, on_machines=provider is not None
        )
        options = {
            "cluster": cluster,
            "service_name": part.name,
            "task_definition": definition,
            "desired_count": size.tasks,
            "min_healthy_percent": 100,
            "max_healthy_percent": 200,
            "circuit_breaker": ecs.DeploymentCircuitBreaker(enable=True, rollback=True),
            "availability_zone_rebalancing": ecs.AvailabilityZoneRebalancing.ENABLED,
            "enable_ecs_managed_tags": True,
            "propagate_tags": ecs.PropagatedTagSource.SERVICE,
            "service_connect_configuration": self._connect(part),
        }
        if part.is_entrance:
            options["health_check_grace_period"] = Duration.seconds(120)
        if provider is None:
            return ecs.FargateService(
                self,
                part.name,
                capacity_provider_strategies=[
                    ecs.CapacityProviderStrategy(capacity_provider="FARGATE", weight=1)
                ],
                vpc_subnets=ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS),
                **options,
            )
        return ecs.Ec2Service(
            self,
            part.name,
            capacity_provider_strategies=[
                ecs.CapacityProviderStrategy(capacity_provider=provider, weight=1)
            ],
            placement_strategies=[
                ecs.PlacementStrategy.spread_across(ecs.BuiltInAttributes.AVAILABILITY_ZONE),
                ecs.PlacementStrategy.packed_by_memory(),
            ]
            if not part.is_entrance
            else [
                ecs.PlacementStrategy.spread_across(ecs.BuiltInAttributes.AVAILABILITY_ZONE),
                ecs.PlacementStrategy.spread_across_instances(),
            ],
            **options,
        )

    def _connect(self, part: Part) -> ecs.ServiceConnectProps:
        """A name for who is called, and all names for who calls."""
        served = []
        if part.name in BEHIND_NGINX:
            served = [
                ecs.ServiceConnectService(
                    port_mapping_name=part.name,
                    dns_name=part.name,
                    discovery_name=part.name,
                    port=part.port,
                    # Beyond the 20 s after which a websocket's server pings.
                    idle_timeout=Duration.hours(1),
                )
            ]
        return ecs.ServiceConnectProps(
            namespace=self._names.namespace_name,
            services=served,
            log_driver=ecs.LogDrivers.aws_logs(
                stream_prefix=f"{part.name}-connect", log_group=self._compute.logs
            ),
        )


def _scratch(part: Part) -> list[ecs.Tmpfs]:
    """Memory where a part writes in passing, as in docker-compose.yml; nothing there is run."""
    # Docker mounts it writable for all, as /tmp is.
    options = [
        ecs.TmpfsMountOption.NOSUID,
        ecs.TmpfsMountOption.NODEV,
        ecs.TmpfsMountOption.NOEXEC,
    ]
    large = part.name in ("api", "nginx", "imports")
    return [
        ecs.Tmpfs(container_path="/tmp", size=256 if large else 64, mount_options=options),
        ecs.Tmpfs(container_path="/var/lib/eqtrade", size=64, mount_options=options),
    ]
