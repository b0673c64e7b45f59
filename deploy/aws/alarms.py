"""What wakes somebody, each with the page that says what to do; and what adds tasks."""

from aws_cdk import Duration
from aws_cdk import aws_applicationautoscaling as scaling
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_elasticloadbalancingv2 as elb
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from deploy.aws.data import Cache, Database
from deploy.aws.settings import Setting
from deploy.thresholds import FIGURES

NAMESPACE = "eqtrade"
MINUTE = Duration.minutes(1)
CONNECTIONS_A_TASK = 3_000
"""Of the 5,000 that one process takes; what it reads grows with accounts, not with watchers."""


class Alarms(Construct):
    """Alarms go to one topic; a person subscribes to it, or what pages people."""

    def __init__(self, scope: Construct, name: str, *, key: kms.IKey, alarms_to: str) -> None:
        super().__init__(scope, name)
        self.topic = sns.Topic(self, "Topic", master_key=key)
        if alarms_to:
            self.topic.add_subscription(subscriptions.EmailSubscription(alarms_to))

    def of_figures(self) -> None:
        for each in FIGURES:
            self._alarm(
                each.figure,
                figure(each.figure, statistic="Minimum" if each.below else "Maximum"),
                each.beyond,
                each.minutes,
                each.runbook,
                below=each.below,
            )
        # Nobody prints them: nothing above would be heard.
        self._alarm(
            "no-figures", figure("eqtrade_ledger_same_cluster", statistic="SampleCount"), 1, 5,
            "aws.md#an-alarm", below=True, missing=cloudwatch.TreatMissingData.BREACHING,
        )  # fmt: skip

    def of_entrance(
        self, balancer: elb.ApplicationLoadBalancer, targets: elb.ApplicationTargetGroup
    ) -> None:
        code = elb.HttpCodeTarget.TARGET_5XX_COUNT
        page = "aws.md#an-alarm"
        self._alarm("errors", targets.metrics.http_code_target(code, period=MINUTE), 20, 3, page)
        own = elb.HttpCodeElb.ELB_5XX_COUNT
        self._alarm("no-answer", balancer.metrics.http_code_elb(own, period=MINUTE), 20, 3, page)
        ill = targets.metrics.unhealthy_host_count(period=MINUTE)
        self._alarm("nginx-down", ill, 0, 3, page)

    def of_data(self, database: Database, cache: Cache) -> None:
        page = "aws.md#an-alarm"
        primary, gib = database.primary, 2**30
        free = primary.metric_free_storage_space(period=MINUTE)
        self._alarm("database-disk", free, 5 * gib, 5, page, below=True)
        self._alarm("database-cpu", primary.metric_cpu_utilization(period=MINUTE), 90, 15, page)
        if database.replica is not None:
            lag = database.replica.metric("ReplicaLag", period=MINUTE, statistic="Maximum")
            self._alarm("replica-lag", lag, 300, 5, page)
        memory = cloudwatch.Metric(
            namespace="AWS/ElastiCache",
            metric_name="DatabaseMemoryUsagePercentage",
            dimensions_map={"ReplicationGroupId": cache.group.ref},
            statistic="Maximum",
            period=MINUTE,
        )
        self._alarm("cache-memory", memory, 80, 5, page)

    def _alarm(
        self,
        name: str,
        metric: cloudwatch.IMetric,
        beyond: float,
        minutes: int,
        runbook: str,
        *,
        below: bool = False,
        missing: cloudwatch.TreatMissingData = cloudwatch.TreatMissingData.NOT_BREACHING,
    ) -> None:
        comparison = cloudwatch.ComparisonOperator
        alarm = cloudwatch.Alarm(
            self,
            name.replace("_", "-"),
            metric=metric,
            threshold=beyond,
            evaluation_periods=minutes,
            comparison_operator=comparison.LESS_THAN_THRESHOLD
            if below
            else comparison.GREATER_THAN_THRESHOLD,
            treat_missing_data=missing,
            alarm_description=f"docs/runbooks/{runbook}",
        )
        alarm.add_alarm_action(actions.SnsAction(self.topic))
        alarm.add_ok_action(actions.SnsAction(self.topic))


def figure(name: str, *, statistic: str = "Maximum", **labels: str) -> cloudwatch.Metric:
    return cloudwatch.Metric(
        namespace=NAMESPACE,
        metric_name=name,
        dimensions_map=labels or None,
        statistic=statistic,
        period=MINUTE,
    )


def scale(services: dict[str, ecs.BaseService], setting: Setting) -> None:
    """Readers by what they have yet to apply, ws by who watches, api and nginx by their work."""
    for name, service in services.items():
        size = setting.parts[name]
        if size.most == size.tasks:
            continue
        tasks = service.auto_scale_task_count(min_capacity=size.tasks, max_capacity=size.most)
        if name in ("positions", "pnl"):
            # A shard has one reader at a time: 16 are as many as there can be at work.
            tasks.scale_on_metric(
                "Lag",
                metric=figure("eqtrade_ledger_lag_seconds", consumer=name),
                scaling_steps=[
                    scaling.ScalingInterval(upper=1, change=-1),
                    scaling.ScalingInterval(lower=5, upper=30, change=1),
                    scaling.ScalingInterval(lower=30, change=2),
                ],
                adjustment_type=scaling.AdjustmentType.CHANGE_IN_CAPACITY,
                evaluation_periods=2,
                cooldown=Duration.minutes(3),
            )
        elif name == "ws":
            tasks.scale_to_track_custom_metric(
                "Watchers",
                metric=figure("eqtrade_live_connections", statistic="Average"),
                target_value=CONNECTIONS_A_TASK,
                # Each that goes sends its watchers to the others.
                scale_in_cooldown=Duration.minutes(15),
                scale_out_cooldown=Duration.minutes(1),
            )
        else:
            tasks.scale_on_cpu_utilization("Work", target_utilization_percent=60)
