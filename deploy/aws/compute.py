"""The two clusters: the entrance, and the core behind it. On machines, or on Fargate."""

from aws_cdk import RemovalPolicy, Stack
from aws_cdk import aws_autoscaling as autoscaling
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from constructs import Construct

from deploy.aws.data import RETENTION
from deploy.aws.settings import Machines, Setting


class Compute(Construct):
    """`of` gives a cluster by its name; `logs` is where all parts write."""

    def __init__(
        self, scope: Construct, name: str, *, vpc: ec2.IVpc, setting: Setting, key: kms.IKey
    ) -> None:
        super().__init__(scope, name)
        self.logs = logs.LogGroup(
            self,
            "Log",
            log_group_name=f"/eqtrade/{setting.name}",
            retention=RETENTION[setting.log_days],
            encryption_key=key,
            removal_policy=RemovalPolicy.DESTROY,
        )
        self.of: dict[str, ecs.Cluster] = {}
        self.capacity: dict[str, str] = {}
        for cluster_name, machines in (("entrance", setting.entrance), ("core", setting.core)):
            cluster = ecs.Cluster(
                self,
                cluster_name,
                vpc=vpc,
                cluster_name=f"eqtrade-{setting.name}-{cluster_name}",
                container_insights_v2=ecs.ContainerInsights.DISABLED,
                enable_fargate_capacity_providers=machines is None,
            )
            self.of[cluster_name] = cluster
            if machines is not None:
                self.capacity[cluster_name] = self._machines(cluster_name, cluster, vpc, machines)

    def _machines(self, name: str, cluster: ecs.Cluster, vpc: ec2.IVpc, machines: Machines) -> str:
        """Machines of ECS's own image, which are replaced when they fail; their provider's name."""
        group = ec2.SecurityGroup(self, f"{name}-machines", vpc=vpc)
        template = ec2.LaunchTemplate(
            self,
            f"{name}-template",
            instance_type=ec2.InstanceType(machines.type),
            machine_image=ecs.EcsOptimizedImage.amazon_linux2023(),
            security_group=group,
            role=self._machine_role(name, cluster).without_policy_updates(),
            user_data=ec2.UserData.for_linux(),
            # One hop: a container, which is one further, can't be the machine.
            require_imdsv2=True,
            http_put_response_hop_limit=1,
            associate_public_ip_address=False,
            block_devices=[
                ec2.BlockDevice(
                    device_name="/dev/xvda",
                    volume=ec2.BlockDeviceVolume.ebs(
                        30, encrypted=True, volume_type=ec2.EbsDeviceVolumeType.GP3
                    ),
                )
            ],
        )
        scaling = autoscaling.AutoScalingGroup(
            self,
            f"{name}-scaling",
            vpc=vpc,
            vpc_subnets=ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS),
            launch_template=template,
            min_capacity=machines.count,
            max_capacity=machines.most,
            health_checks=autoscaling.HealthChecks.ec2(),
            update_policy=autoscaling.UpdatePolicy.rolling_update(
                min_instances_in_service=machines.count
            ),
        )
        provider = ecs.AsgCapacityProvider(
            self,
            f"{name}-capacity",
            auto_scaling_group=scaling,
            enable_managed_termination_protection=False,
            enable_managed_draining=True,
        )
        cluster.add_asg_capacity_provider(provider)
        # Of a launch template the library does not take it over by itself.
        cluster.connections.add_security_group(group)
        return str(provider.capacity_provider_name)

    def _machine_role(self, name: str, cluster: ecs.Cluster) -> iam.Role:
        """What ECS's agent needs, and of its own cluster alone. The policy that AWS offers writes
        to every log and every cluster."""
        stack = Stack.of(self)
        instances = (
            f"arn:{stack.partition}:ecs:{stack.region}:{stack.account}"
            f":container-instance/{cluster.cluster_name}/*"
        )
        own = {"ArnEquals": {"ecs:cluster": cluster.cluster_arn}}
        return iam.Role(
            self,
            f"{name}-role",
            assumed_by=iam.ServicePrincipal("ec2.amazonaws.com"),
            inline_policies={
                "agent": iam.PolicyDocument(
                    statements=[
                        iam.PolicyStatement(
                            actions=["ecs:RegisterContainerInstance",
                                     "ecs:DeregisterContainerInstance",
                                     "ecs:SubmitContainerStateChange",
                                     "ecs:SubmitTaskStateChange",
                                     "ecs:SubmitAttachmentStateChanges"],
                            resources=[cluster.cluster_arn],
                        ),
                        iam.PolicyStatement(
                            actions=["ecs:Poll", "ecs:StartTelemetrySession",
                                     "ecs:UpdateContainerInstancesState"],
                            resources=[instances],
                            conditions=own,
                        ),
                        # Tells where the two above are: it reads, and knows no resource.
                        iam.PolicyStatement(
                            actions=["ecs:DiscoverPollEndpoint"], resources=["*"]
                        ),
                    ]
                )
            },
        )  # fmt: skip
