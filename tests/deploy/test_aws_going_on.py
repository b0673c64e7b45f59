"""Both settings on AWS: they go on when something dies or a version is not well, each part may what
it must, and somebody is told."""

import json
import re
from collections.abc import Iterator
from typing import Any

from deploy.aws.parts import BEHIND_NGINX, PARTS
from eqtrade.queues import queue_names
from eqtrade.up.options import PROJECT
from tests.deploy.templates import NEEDS_CDK, Found, listed

pytestmark = NEEDS_CDK


# --- two zones, health, and the way back ---------------------------------------------------------


def test_there_are_two_zones(found: Found) -> None:
    zones = {json.dumps(s["AvailabilityZone"]) for s in found.of("AWS::EC2::Subnet").values()}
    assert len(zones) == 2
    primary = next(p for p in found.of("AWS::RDS::DBInstance").values() if "MultiAZ" in p)
    assert primary["MultiAZ"] is True
    cache = found.one("AWS::ElastiCache::ReplicationGroup")
    assert (cache["MultiAZEnabled"], cache["AutomaticFailoverEnabled"]) == (True, True)
    nginx = found.services()["nginx"]
    assert nginx["DesiredCount"] == 2
    assert nginx["AvailabilityZoneRebalancing"] == "ENABLED"
    for subnets in _lists_of_subnets(found):
        assert len(subnets) == 2


def _lists_of_subnets(found: Found) -> Iterator[list[Any]]:
    for group in found.of("AWS::AutoScaling::AutoScalingGroup").values():
        yield group["VPCZoneIdentifier"]
    for service in found.services().values():
        if "NetworkConfiguration" in service:
            yield service["NetworkConfiguration"]["AwsvpcConfiguration"]["Subnets"]
    yield found.one("AWS::ElastiCache::SubnetGroup")["SubnetIds"]


def test_every_part_is_there_and_says_how_it_is(found: Found) -> None:
    assert found.services().keys() == {part.name for part in PARTS}
    assert {part.name for part in PARTS} >= {*queue_names(), "api", "ws", "beat", "nginx"}
    containers = found.containers()
    for name in found.services().keys() - {"figures"}:
        assert containers[name]["HealthCheck"]["Command"][0] == "CMD", name
    target = found.one("AWS::ElasticLoadBalancingV2::TargetGroup")
    assert target["HealthCheckPath"] == "/nginx/healthz"
    assert target["HealthCheckIntervalSeconds"] * target["UnhealthyThresholdCount"] <= 10


def test_a_version_that_is_not_well_goes_back(found: Found) -> None:
    for name, service in found.services().items():
        deployment = service["DeploymentConfiguration"]
        assert deployment["DeploymentCircuitBreaker"] == {"Enable": True, "Rollback": True}, name
        # New tasks beside the old ones.
        assert (deployment["MinimumHealthyPercent"], deployment["MaximumPercent"]) == (100, 200)


def test_services_roll_when_the_migration_is_done(found: Found) -> None:
    (migration,) = found.of("AWS::CloudFormation::CustomResource")
    asked = found.resources[migration]["Properties"]
    assert asked["Version"] == "1.0"
    names = {
        name: resource["Properties"]["ContainerDefinitions"][0]["Name"]
        for name, resource in found.resources.items()
        if resource["Type"] == "AWS::ECS::TaskDefinition"
    }
    assert [names[task["Ref"]] for task in asked["Tasks"]] == ["roles", "migrate"]
    for resource in found.resources.values():
        if resource["Type"] == "AWS::ECS::Service":
            assert migration in resource["DependsOn"]


def test_the_database_is_kept_and_hurries_no_reader(found: Found) -> None:
    instances = found.of("AWS::RDS::DBInstance")
    primary = next(p for p in instances.values() if "MultiAZ" in p)
    assert primary["EngineVersion"].startswith("17")
    assert primary["BackupRetentionPeriod"] >= 7
    assert all(p["DeletionProtection"] is True for p in instances.values())
    parameters = found.one("AWS::RDS::DBParameterGroup")["Parameters"]
    assert parameters["max_prepared_transactions"] == "0"
    assert int(parameters["idle_in_transaction_session_timeout"]) > 0
    # A standby that held back the primary's horizon would hold back every position.
    assert parameters.get("hot_standby_feedback", "0") == "0"
    replicas = [p for p in instances.values() if "SourceDBInstanceIdentifier" in p]
    assert len(replicas) == (1 if found.file.name == "eqtrade-large.template.json" else 0)


def test_the_cache_throws_nothing_away_and_is_one(found: Found) -> None:
    cache = found.one("AWS::ElastiCache::ReplicationGroup")
    assert (cache["Engine"], cache["ClusterMode"]) == ("valkey", "disabled")
    assert found.one("AWS::ElastiCache::ParameterGroup")["Properties"] == {
        "maxmemory-policy": "noeviction"
    }


# --- rights --------------------------------------------------------------------------------------

READS = re.compile(r"^[a-z0-9-]+:(Describe|Get|List|Discover|BatchGet|BatchCheck)\w*$")


def test_nobody_may_write_to_everything(found: Found) -> None:
    statements = list(found.statements())
    assert len(statements) >= 5
    for name, statement in statements:
        if statement["Effect"] != "Allow":
            continue
        actions = listed(statement["Action"])
        assert not [a for a in actions if a.endswith(":*") or a == "*"], name
        if "*" in listed(statement["Resource"]):
            writing = [a for a in actions if not READS.match(a)]
            # Scoped by its condition to a cluster's own machines.
            assert not writing or "Condition" in statement, f"{name}: {writing}"
            assert not writing, f"{name}: {writing}"
    for role in found.of("AWS::IAM::Role").values():
        assert not role.get("ManagedPolicyArns"), "AWS's own policies write to everything"


def test_a_part_is_nobody_in_aws(found: Found) -> None:
    definitions = found.of("AWS::ECS::TaskDefinition").values()
    (role,) = {json.dumps(d["TaskRoleArn"]) for d in definitions}
    nobody = json.loads(role)["Fn::GetAtt"][0]
    for name, resource in found.resources.items():
        if resource["Type"] == "AWS::IAM::Policy":
            assert {"Ref": nobody} not in resource["Properties"]["Roles"], name
    for name, container in found.containers().items():
        assert container["LinuxParameters"]["Capabilities"]["Drop"] == ["ALL"], name
        assert container["User"] in ("10001:10001", "101:101"), name


# --- names ---------------------------------------------------------------------------------------


def test_nginx_asks_for_the_names_that_service_connect_gives(found: Found) -> None:
    script = (PROJECT / "deploy/nginx/30-follow-replicas.sh").read_text()
    asked = {
        name: int(port) for name, port in re.findall(r"^    list (\w+) (\d+) &&", script, re.M)
    }
    assert asked == BEHIND_NGINX
    environment = {e["Name"]: e["Value"] for e in found.containers()["nginx"]["Environment"]}
    assert environment["NGINX_NAMES"] == "hosts"
    given = {}
    for name, service in found.services().items():
        connect = service["ServiceConnectConfiguration"]
        assert connect["Enabled"] is True, name
        for served in connect.get("Services", ()):
            (alias,) = served["ClientAliases"]
            given[alias["DnsName"]] = alias["Port"]
            # A time for each request would cut websockets; bytes have none.
            assert "PerRequestTimeoutSeconds" not in served.get("Timeout", {})
            assert served["Timeout"]["IdleTimeoutSeconds"] > 60
            (mapping,) = found.containers()[name]["PortMappings"]
            assert "AppProtocol" not in mapping
    assert given == asked


def test_nginx_starts_after_whom_it_asks(found: Found) -> None:
    """Service Connect tells a task the names that it knew when the task started."""
    by_name = {
        resource["Properties"]["ServiceName"]: (name, resource)
        for name, resource in found.resources.items()
        if resource["Type"] == "AWS::ECS::Service"
    }
    for asked in BEHIND_NGINX:
        assert by_name[asked][0] in by_name["nginx"][1]["DependsOn"]


# --- alarms --------------------------------------------------------------------------------------


def test_every_alarm_goes_somewhere_and_names_its_page(found: Found) -> None:
    told = [p for p in found.of("AWS::CloudWatch::Alarm").values() if "AlarmDescription" in p]
    ours = [p for p in told if p["AlarmDescription"].startswith("docs/runbooks/")]
    assert len(ours) >= 15
    for alarm in ours:
        assert alarm["AlarmActions"]
        page, _, title = alarm["AlarmDescription"].partition("#")
        text = (PROJECT / page).read_text()
        titles = {
            re.sub(r"[^\w -]", "", line.lstrip("# ")).lower().replace(" ", "-")
            for line in text.splitlines()
            if line.startswith("#")
        }
        assert not title or title in titles, alarm["AlarmDescription"]


def test_readers_grow_with_their_lag_and_sockets_with_their_watchers(found: Found) -> None:
    policies = found.of("AWS::ApplicationAutoScaling::ScalingPolicy").values()
    tracked = [
        p["TargetTrackingScalingPolicyConfiguration"]["CustomizedMetricSpecification"]["MetricName"]
        for p in policies
        if "CustomizedMetricSpecification" in p.get("TargetTrackingScalingPolicyConfiguration", {})
    ]
    assert tracked == ["eqtrade_live_connections"]
    alarms = found.of("AWS::CloudWatch::Alarm").values()
    consumers = {
        dimension["Value"]
        for alarm in alarms
        if alarm.get("MetricName") == "eqtrade_ledger_lag_seconds"
        for dimension in alarm.get("Dimensions", ())
    }
    assert consumers == {"positions", "pnl"}


def test_logs_have_an_end(found: Found) -> None:
    for group in found.of("AWS::Logs::LogGroup").values():
        assert group["RetentionInDays"] >= 30
