"""The one public thing: a balancer with TLS, a wall that counts calls, and nginx behind it."""

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_elasticloadbalancingv2 as elb
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_wafv2 as waf
from constructs import Construct

from deploy.aws.settings import Installation, Setting

# nginx keeps an idle connection for 65 s: the balancer must be the first to close it.
IDLE_SECONDS = 60


class Entrance(Construct):
    """An nginx that does not answer for itself is passed by."""

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        vpc: ec2.IVpc,
        nginx: ecs.BaseService,
        setting: Setting,
        installation: Installation,
    ) -> None:
        super().__init__(scope, name)
        self.balancer = elb.ApplicationLoadBalancer(
            self,
            "Balancer",
            vpc=vpc,
            internet_facing=True,
            vpc_subnets=ec2.SubnetSelection(subnet_type=ec2.SubnetType.PUBLIC),
            idle_timeout=Duration.seconds(IDLE_SECONDS),
            drop_invalid_header_fields=True,
            deletion_protection=True,
        )
        self.balancer.log_access_logs(self._calls())
        self.balancer.add_listener(
            "Http",
            port=80,
            default_action=elb.ListenerAction.redirect(
                protocol="HTTPS", port="443", permanent=True
            ),
        )
        listener = self.balancer.add_listener(
            "Https",
            port=443,
            certificates=[
                acm.Certificate.from_certificate_arn(self, "Certificate", installation.certificate)
            ],
            ssl_policy=elb.SslPolicy.RECOMMENDED_TLS,
        )
        self.targets = listener.add_targets(
            "Nginx",
            port=8080,
            protocol=elb.ApplicationProtocol.HTTP,
            targets=[nginx.load_balancer_target(container_name="nginx", container_port=8080)],
            health_check=elb.HealthCheck(
                path="/nginx/healthz",
                # On machines each task has another one.
                port="traffic-port",
                healthy_http_codes="200",
                interval=Duration.seconds(5),
                timeout=Duration.seconds(3),
                healthy_threshold_count=2,
                unhealthy_threshold_count=2,
            ),
            # Websockets never end by themselves; their pages come back by the other one.
            deregistration_delay=Duration.seconds(20),
            load_balancing_algorithm_type=(
                elb.TargetGroupLoadBalancingAlgorithmType.LEAST_OUTSTANDING_REQUESTS
            ),
        )
        wall = waf.CfnWebACL(
            self,
            "Wall",
            scope="REGIONAL",
            default_action={"allow": {}},
            visibility_config=_seen("eqtrade"),
            rules=[
                {
                    "name": "rate",
                    "priority": 0,
                    "action": {"block": {"customResponse": {"responseCode": 429}}},
                    "statement": {
                        "rateBasedStatement": {
                            "aggregateKeyType": "IP",
                            "limit": setting.calls_in_five_minutes,
                        }
                    },
                    "visibilityConfig": _seen("eqtrade-rate"),
                }
            ],
        )
        waf.CfnWebACLAssociation(
            self,
            "Walled",
            resource_arn=self.balancer.load_balancer_arn,
            web_acl_arn=wall.attr_arn,
        )

    def _calls(self) -> s3.Bucket:
        """Who called; the balancer can write to no bucket with a key of ours."""
        return s3.Bucket(
            self,
            "Calls",
            encryption=s3.BucketEncryption.S3_MANAGED,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            enforce_ssl=True,
            lifecycle_rules=[s3.LifecycleRule(expiration=Duration.days(90))],
            removal_policy=RemovalPolicy.RETAIN,
        )


def _seen(name: str) -> dict[str, object]:
    return {
        "cloudWatchMetricsEnabled": True,
        "metricName": name,
        "sampledRequestsEnabled": True,
    }
