"""The stack that comes first: where the images are pushed to."""

from aws_cdk import RemovalPolicy, Stack
from aws_cdk import aws_ecr as ecr
from constructs import Construct

REPOSITORIES = ("eqtrade", "eqtrade-nginx")


class Images(Stack):
    """A tag is one content for ever; the last fifty are kept, and looked through for flaws."""

    def __init__(self, scope: Construct, name: str, *, region: str) -> None:
        super().__init__(scope, name, env={"region": region}, description="eqtrade: images")
        for repository in REPOSITORIES:
            ecr.Repository(
                self,
                repository,
                repository_name=repository,
                image_tag_mutability=ecr.TagMutability.IMMUTABLE,
                image_scan_on_push=True,
                encryption=ecr.RepositoryEncryption.KMS,
                removal_policy=RemovalPolicy.RETAIN,
                lifecycle_rules=[ecr.LifecycleRule(max_image_count=50)],
            )
