"""Both settings on AWS, as they would be deployed: written by the CDK, read as CloudFormation does.

The tools are installed by `make test` into .venv-aws.
"""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deploy.aws.parts import BEHIND_NGINX, PARTS
from deploy.aws.settings import SETTINGS
from deploy.cloud import PYTHON
from eqtrade.queues import queue_names
from eqtrade.up.options import PROJECT
from tests.deploy.templates import HEARTBEAT, Found, listed, write_all

# As its script: that names its interpreter in its first line.
CFN_LINT = "import sys; from cfnlint.runner import main; sys.exit(main())"
# W3005 is that the library names a dependency twice.
OPTIONS = ("--regions", "eu-west-1", "--ignore-checks", "W3005")

pytestmark = [
    pytest.mark.xdist_group("aws"),
    pytest.mark.skipif(
        not PYTHON.exists(),
        reason="the tools of deploy/aws are not installed here: `make test` does (.venv-aws)",
    ),
]


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return write_all(tmp_path_factory.mktemp("aws"))


@pytest.fixture(params=sorted(SETTINGS))
def found(request: pytest.FixtureRequest, files: dict[str, Path]) -> Found:
    return Found(files[request.param])


def test_cloudformation_would_take_it(files: dict[str, Path]) -> None:
    templates = [file.parent / "eqtrade-images.template.json" for file in files.values()]
    done = subprocess.run(
        [PYTHON, "-c", CFN_LINT, *OPTIONS, "--", *files.values(), templates[0]],
        cwd=PROJECT, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.strip() == ""


def test_nothing_was_looked_up_and_nothing_is_built(files: dict[str, Path]) -> None:
    for file in files.values():
        manifest = json.loads((file.parent / "manifest.json").read_text())
        assert manifest.get("missing") is None
        assets = json.loads(next(file.parent.glob("eqtrade-[sl]*.assets.json")).read_text())
        assert assets["dockerImages"] == {}
        uploaded = [a["source"]["path"] for a in assets["files"].values()]
        assert uploaded == [file.name], "the template, and no code of others"
        assert "LogRetention" not in file.read_text()


# --- what is public -------------------------------------------------------------------------------


def test_the_balancer_alone_is_public(found: Found) -> None:
    balancer = found.one("AWS::ElasticLoadBalancingV2::LoadBalancer")
    assert balancer["Scheme"] == "internet-facing"
    open_to_all = {
        (name, rule["FromPort"])
        for name, group in found.of("AWS::EC2::SecurityGroup").items()
        for rule in group.get("SecurityGroupIngress", ())
        if rule.get("CidrIp") == "0.0.0.0/0" or rule.get("CidrIpv6")
    }
    assert {port for _, port in open_to_all} == {80, 443}
    assert {name for name, _ in open_to_all} == {balancer["SecurityGroups"][0]["Fn::GetAtt"][0]}
    for rule in found.of("AWS::EC2::SecurityGroupIngress").values():
        assert "SourceSecurityGroupId" in rule
        assert "CidrIp" not in rule
    for subnet in found.of("AWS::EC2::Subnet").values():
        assert subnet["MapPublicIpOnLaunch"] is False
    for instance in found.of("AWS::RDS::DBInstance").values():
        assert instance["PubliclyAccessible"] is False
    for service in found.services().values():
        network = service.get("NetworkConfiguration", {}).get("AwsvpcConfiguration", {})
        assert network.get("AssignPublicIp", "DISABLED") == "DISABLED"
    for template in found.of("AWS::EC2::LaunchTemplate").values():
        (interface,) = template["LaunchTemplateData"]["NetworkInterfaces"]
        assert interface["AssociatePublicIpAddress"] is False
        # A container is one hop further: it can't be the machine.
        options = template["LaunchTemplateData"]["MetadataOptions"]
        assert (options["HttpTokens"], options["HttpPutResponseHopLimit"]) == ("required", 1)
    for bucket in found.of("AWS::S3::Bucket").values():
        assert all(bucket["PublicAccessBlockConfiguration"].values())


def _reached(found: Found) -> set[tuple[str, str, int]]:
    """Who lets in whom, and from which port on. Groups are named by the words in their names."""

    def name(group: str) -> str:
        for word in ("Balancer", "Primary", "Replica", "Cache", "entrancemachines", "coremachines"):
            if word in group:
                return word.removesuffix("machines")
        return re.sub("(SecurityGroup)?[0-9A-F]{8}$|^Services", "", group)

    rules = [
        (group, rule)
        for group, properties in found.of("AWS::EC2::SecurityGroup").items()
        for rule in properties.get("SecurityGroupIngress", ())
    ]
    rules += [
        (rule["GroupId"]["Fn::GetAtt"][0], rule)
        for rule in found.of("AWS::EC2::SecurityGroupIngress").values()
    ]
    return {
        (name(rule["SourceSecurityGroupId"]["Fn::GetAtt"][0]), name(group), _port(rule))
        for group, rule in rules
        if "SourceSecurityGroupId" in rule
    }


def _port(rule: dict[str, Any]) -> int:
    """The first one; the database's own is asked of it."""
    port = rule["FromPort"]
    return port if isinstance(port, int) else 5432


def test_each_is_reached_by_those_that_need_it(files: dict[str, Path]) -> None:
    """And by nobody else."""
    anywhere = 32_768
    assert _reached(Found(files["small"])) == {
        ("Balancer", "entrance", anywhere),
        ("entrance", "core", anywhere),
        ("core", "Primary", 5432),
        ("core", "Cache", 6379),
    }
    behind = {part.name for part in PARTS} - {"nginx"}
    asks = {(who, "Primary", 5432) for who in behind | {"Jobs"}}
    assert _reached(Found(files["large"])) == {
        ("Balancer", "nginx", 8080),
        *(("nginx", name, port) for name, port in BEHIND_NGINX.items()),
        *asks,
        *((who, "Replica", port) for who, _, port in asks),
        *((who, "Cache", 6379) for who, _, _ in asks),
    }


def test_without_tls_there_is_a_redirect_alone(found: Found) -> None:
    by_port = {p["Port"]: p for p in found.of("AWS::ElasticLoadBalancingV2::Listener").values()}
    assert by_port.keys() == {80, 443}
    assert by_port[80]["DefaultActions"][0]["RedirectConfig"]["Protocol"] == "HTTPS"
    assert by_port[443]["Certificates"]
    assert "TLS13" in by_port[443]["SslPolicy"]


def test_one_address_may_not_call_without_end(found: Found) -> None:
    wall = found.one("AWS::WAFv2::WebACL")
    (rule,) = wall["Rules"]
    assert 10_000 <= rule["Statement"]["RateBasedStatement"]["Limit"] <= 200_000
    assert "Block" in rule["Action"]
    assert found.one("AWS::WAFv2::WebACLAssociation")["ResourceArn"]["Ref"] in found.of(
        "AWS::ElasticLoadBalancingV2::LoadBalancer"
    )


# --- encryption ----------------------------------------------------------------------------------


def test_all_that_is_kept_is_encrypted(found: Found) -> None:
    for instance in found.of("AWS::RDS::DBInstance").values():
        # A replica takes it over from its source, and may not say so itself.
        if "SourceDBInstanceIdentifier" not in instance:
            assert instance["StorageEncrypted"] is True
            assert instance["KmsKeyId"]
    cache = found.one("AWS::ElastiCache::ReplicationGroup")
    assert cache["AtRestEncryptionEnabled"] is True
    assert cache["KmsKeyId"]
    for template in found.of("AWS::EC2::LaunchTemplate").values():
        for disk in template["LaunchTemplateData"]["BlockDeviceMappings"]:
            assert disk["Ebs"]["Encrypted"] is True
    for kind in ("AWS::Logs::LogGroup", "AWS::SecretsManager::Secret"):
        assert found.of(kind)
        for one in found.of(kind).values():
            assert one["KmsKeyId"]
    assert found.one("AWS::SNS::Topic")["KmsMasterKeyId"]
    assert found.one("AWS::KMS::Key")["EnableKeyRotation"] is True
    for bucket in found.of("AWS::S3::Bucket").values():
        assert bucket["BucketEncryption"]
    images = json.loads((found.file.parent / "eqtrade-images.template.json").read_text())
    for repository in images["Resources"].values():
        assert repository["Properties"]["EncryptionConfiguration"]["EncryptionType"] == "KMS"


def test_all_that_is_said_is_encrypted(found: Found) -> None:
    cache = found.one("AWS::ElastiCache::ReplicationGroup")
    assert (cache["TransitEncryptionEnabled"], cache["TransitEncryptionMode"]) == (True, "required")
    assert found.one("AWS::RDS::DBParameterGroup")["Parameters"]["rds.force_ssl"] == "1"
    for container in found.containers().values():
        told = {e["Name"]: json.dumps(e["Value"]) for e in container.get("Environment", ())}
        assert "rediss://" in told["REDIS_URL"]
        assert "sslmode=require" in told["DATABASE_URL"]


def test_no_secret_stands_in_the_template(found: Found) -> None:
    for container in found.containers().values():
        for told in container.get("Environment", ()):
            assert not re.search("PASSWORD|SECRET|_KEY$", told["Name"]), told["Name"]
    user = found.one("AWS::ElastiCache::User")
    assert "resolve:secretsmanager" in json.dumps(user["AuthenticationMode"]["Passwords"])


def test_each_part_knows_the_secrets_that_it_needs(found: Found) -> None:
    known = {
        name: {secret["Name"] for secret in container.get("Secrets", ())}
        for name, container in found.containers().items()
    }
    assert known["nginx"] == set()
    assert known["roles"] == {"ADMIN_DATABASE_PASSWORD", "OWNER_PASSWORD", "DATABASE_PASSWORD"}
    runtime = {"SECRET_KEY", "DATABASE_PASSWORD", "REDIS_PASSWORD"}
    assert all(known[name] == runtime for name in known if name not in ("nginx", "roles"))


def test_each_part_knows_who_watches_it(found: Found, request: pytest.FixtureRequest) -> None:
    wanted = HEARTBEAT if request.node.callspec.params["found"] == "large" else None
    for name in ("beat", "default", "pnl"):
        told = {each["Name"]: each["Value"] for each in found.containers()[name]["Environment"]}
        assert told.get("HEARTBEAT_CLOSES_URL") == wanted
        assert "HEARTBEAT_VERIFY_URL" not in told


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
