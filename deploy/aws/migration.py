"""Roles and schema, brought up to date once a version, before any service rolls."""

from pathlib import Path

from aws_cdk import CustomResource, Duration, RemovalPolicy, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from deploy.aws.data import RETENTION
from deploy.aws.settings import Setting

CODE = (Path(__file__).parent / "run_once.py").read_text()


class Migration(Construct):
    """Whatever depends on this starts when the tasks have ended well."""

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        tasks: list[ecs.TaskDefinition],
        cluster: ecs.ICluster,
        vpc: ec2.IVpc,
        security_group: ec2.ISecurityGroup | None,
        capacity: str | None,
        setting: Setting,
        key: kms.IKey,
        version: str,
    ) -> None:
        super().__init__(scope, name)
        options: dict[str, object] = {
            "cluster": cluster.cluster_name,
            "capacityProviderStrategy": [{"capacityProvider": capacity or "FARGATE", "weight": 1}],
        }
        if security_group is not None:
            options["networkConfiguration"] = {
                "awsvpcConfiguration": {
                    "subnets": vpc.select_subnets(
                        subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS
                    ).subnet_ids,
                    "securityGroups": [security_group.security_group_id],
                    "assignPublicIp": "DISABLED",
                }
            }
        log = logs.LogGroup(
            self,
            "Log",
            log_group_name=f"/eqtrade/{setting.name}/migration",
            retention=RETENTION[setting.log_days],
            encryption_key=key,
            removal_policy=RemovalPolicy.DESTROY,
        )
        function = lambda_.Function(
            self,
            "Run",
            runtime=lambda_.Runtime.PYTHON_3_13,
            code=lambda_.Code.from_inline(CODE),
            handler="index.handler",
            # The longest that there is; a migration that takes longer is run by hand first.
            timeout=Duration.minutes(15),
            memory_size=256,
            role=self._role(tasks, cluster, log),
            log_group=log,
            reserved_concurrent_executions=1,
        )
        self.done = CustomResource(
            self,
            "Done",
            service_token=function.function_arn,
            properties={
                "Version": version,
                "Tasks": [task.task_definition_arn for task in tasks],
                "Options": Stack.of(self).to_json_string(options),
            },
        )

    def _role(
        self, tasks: list[ecs.TaskDefinition], cluster: ecs.ICluster, log: logs.ILogGroup
    ) -> iam.Role:
        stack = Stack.of(self)
        own_tasks = (
            f"arn:{stack.partition}:ecs:{stack.region}:{stack.account}"
            f":task/{cluster.cluster_name}/*"
        )
        families = [
            f"arn:{stack.partition}:ecs:{stack.region}:{stack.account}:task-definition/{task.family}:*"
            for task in tasks
        ]
        roles = {
            role.role_arn: role.role_arn
            for task in tasks
            for role in (task.execution_role, task.task_role)
            if role is not None
        }
        statements = [
            iam.PolicyStatement(
                actions=["ecs:RunTask"],
                resources=families,
                conditions={"ArnEquals": {"ecs:cluster": cluster.cluster_arn}},
            ),
            iam.PolicyStatement(actions=["ecs:DescribeTasks"], resources=[own_tasks]),
            iam.PolicyStatement(
                actions=["iam:PassRole"],
                resources=list(roles),
                conditions={"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}},
            ),
            iam.PolicyStatement(
                actions=["logs:CreateLogStream", "logs:PutLogEvents"],
                resources=[log.log_group_arn],
            ),
        ]
        return iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
            inline_policies={"run": iam.PolicyDocument(statements=statements)},
        )
