"""Both settings on AWS, as they would be deployed: written by the CDK, read as CloudFormation does.
What is public, and what is encrypted.
"""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from deploy.aws.parts import BEHIND_NGINX, PARTS
from deploy.cloud import PYTHON
from eqtrade.up.options import PROJECT
from tests.deploy.templates import HEARTBEAT, NEEDS_CDK, Found

# As its script: that names its interpreter in its first line.
CFN_LINT = "import sys; from cfnlint.runner import main; sys.exit(main())"
# W3005 is that the library names a dependency twice.
OPTIONS = ("--regions", "eu-west-1", "--ignore-checks", "W3005")

pytestmark = NEEDS_CDK


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
