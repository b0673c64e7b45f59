"""What is kept: PostgreSQL, Valkey, and the secrets of both; all encrypted with one key of ours."""

from aws_cdk import Duration, RemovalPolicy, SecretValue, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_elasticache as elasticache
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_rds as rds
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from deploy.aws.settings import Setting

ADMINISTRATOR = "eqtrade_admin"
RETENTION = {30: logs.RetentionDays.ONE_MONTH, 365: logs.RetentionDays.ONE_YEAR}


class Key(Construct):
    """One key for all: logs and alarms are services of AWS that must be let use it."""

    def __init__(self, scope: Construct, name: str) -> None:
        super().__init__(scope, name)
        self.key = kms.Key(self, "Key", enable_key_rotation=True, alias="eqtrade")
        stack = Stack.of(self)
        self.key.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[
                    iam.ServicePrincipal(f"logs.{stack.region}.amazonaws.com"),
                    iam.ServicePrincipal("cloudwatch.amazonaws.com"),
                ],
                actions=["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*",
                         "kms:DescribeKey"],
                resources=["*"],
                conditions={"StringEquals": {"aws:SourceAccount": stack.account}},
            )
        )  # fmt: skip


class Secrets(Construct):
    """A secret of its own for each; nobody ever types one."""

    NAMES = ("secret_key", "owner_password", "runtime_password", "redis_password")

    def __init__(self, scope: Construct, name: str, *, key: kms.IKey) -> None:
        super().__init__(scope, name)
        self.of = {
            secret: secretsmanager.Secret(
                self,
                secret,
                encryption_key=key,
                removal_policy=RemovalPolicy.RETAIN,
                generate_secret_string=secretsmanager.SecretStringGenerator(
                    password_length=64, exclude_punctuation=True
                ),
            )
            for secret in self.NAMES
        }


class Database(Construct):
    """PostgreSQL 17 in two zones. Its standby can't be read: a replica stands beside it."""

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        vpc: ec2.IVpc,
        setting: Setting,
        key: kms.IKey,
    ) -> None:
        super().__init__(scope, name)
        engine = rds.DatabaseInstanceEngine.postgres(
            version=rds.PostgresEngineVersion.of("17.9", "17")
        )
        parameters = rds.ParameterGroup(
            self,
            "Parameters",
            engine=engine,
            parameters={
                # One transaction left open holds back every position (decision 1).
                "idle_in_transaction_session_timeout": "60000",
                "max_prepared_transactions": "0",
                "rds.force_ssl": "1",
                "log_min_duration_statement": "1000",
                "timezone": "UTC",
            },
        )
        identifier = f"eqtrade-{setting.name}"
        # Made before the server makes it: with an end, and encrypted.
        log = logs.LogGroup(
            self,
            "Log",
            log_group_name=f"/aws/rds/instance/{identifier}/postgresql",
            retention=RETENTION[setting.log_days],
            encryption_key=key,
            removal_policy=RemovalPolicy.DESTROY,
        )
        common = {
            "vpc": vpc,
            "vpc_subnets": ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_ISOLATED),
            "instance_type": ec2.InstanceType(setting.database),
            "storage_type": rds.StorageType.GP3,
            "parameter_group": parameters,
            "deletion_protection": True,
            "removal_policy": RemovalPolicy.SNAPSHOT,
            "auto_minor_version_upgrade": True,
            "ca_certificate": rds.CaCertificate.RDS_CA_RSA2048_G1,
            "publicly_accessible": False,
        }
        self.primary = rds.DatabaseInstance(
            self,
            "Primary",
            engine=engine,
            instance_identifier=identifier,
            credentials=rds.Credentials.from_generated_secret(
                ADMINISTRATOR, encryption_key=key, exclude_characters="/@\"' %:?#[]\\"
            ),
            multi_az=True,
            # A replica takes both over.
            storage_encrypted=True,
            storage_encryption_key=key,
            allocated_storage=setting.database_gib,
            max_allocated_storage=setting.database_gib * 5,
            backup_retention=Duration.days(setting.backup_days),
            copy_tags_to_snapshot=True,
            cloudwatch_logs_exports=["postgresql"],
            **common,
        )
        self.primary.node.add_dependency(log)
        self.replica = None
        if setting.replica:
            self.replica = rds.DatabaseInstanceReadReplica(
                self,
                "Replica",
                source_database_instance=self.primary,
                instance_identifier=f"{identifier}-replica",
                **{**common, "removal_policy": RemovalPolicy.DESTROY},
            )


class Cache(Construct):
    """Valkey: broker, channels, nudges. It may die; its replica in the other zone takes over.

    Not in cluster mode, which Celery's transport does not know; and it throws no key away.
    """

    USER = "eqtrade"

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        vpc: ec2.IVpc,
        setting: Setting,
        key: kms.IKey,
        password: secretsmanager.ISecret,
    ) -> None:
        super().__init__(scope, name)
        self.security_group = ec2.SecurityGroup(self, "Group", vpc=vpc, allow_all_outbound=False)
        self.connections = ec2.Connections(
            security_groups=[self.security_group], default_port=ec2.Port.tcp(6379)
        )
        subnets = elasticache.CfnSubnetGroup(
            self,
            "Subnets",
            description="Both zones, without a way out",
            subnet_ids=vpc.select_subnets(subnet_type=ec2.SubnetType.PRIVATE_ISOLATED).subnet_ids,
        )
        parameters = elasticache.CfnParameterGroup(
            self,
            "Parameters",
            cache_parameter_group_family="valkey8",
            description="A broker that threw keys away would lose tasks in silence",
            properties={"maxmemory-policy": "noeviction"},
        )
        user = elasticache.CfnUser(
            self,
            "User",
            engine="valkey",
            user_id="eqtrade",
            user_name=self.USER,
            # As deploy/redis.sh has it: the data, not the server.
            access_string="on ~* &* +@all -@admin -@dangerous +info",
            authentication_mode={
                "Type": "password",
                "Passwords": [_reference(password)],
            },
        )
        users = elasticache.CfnUserGroup(
            self, "Users", engine="valkey", user_group_id="eqtrade", user_ids=[user.ref]
        )
        self.group = elasticache.CfnReplicationGroup(
            self,
            "Valkey",
            replication_group_id=f"eqtrade-{setting.name}",
            replication_group_description="Broker, channels and nudges of eqtrade",
            engine="valkey",
            engine_version="8.0",
            cache_node_type=setting.cache,
            num_cache_clusters=2,
            automatic_failover_enabled=True,
            multi_az_enabled=True,
            cluster_mode="disabled",
            transit_encryption_enabled=True,
            transit_encryption_mode="required",
            at_rest_encryption_enabled=True,
            kms_key_id=key.key_id,
            user_group_ids=[users.ref],
            cache_subnet_group_name=subnets.ref,
            cache_parameter_group_name=parameters.ref,
            security_group_ids=[self.security_group.security_group_id],
            auto_minor_version_upgrade=True,
        )
        self.host = self.group.attr_primary_end_point_address


def _reference(secret: secretsmanager.ISecret) -> str:
    """A reference that CloudFormation resolves: the template holds no password."""
    value: SecretValue = secret.secret_value
    return str(value.unsafe_unwrap())
