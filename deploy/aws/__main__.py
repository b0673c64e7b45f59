"""Writes the templates: `cdk` runs it, and so do the tests (docs/runbooks/aws.md).

python -m deploy.aws        with the CDK's context: -c setting=small -c domain=… -c …
"""

from aws_cdk import App, Tags

from deploy.aws.images import Images
from deploy.aws.settings import SETTINGS, WATCHED, Installation
from deploy.aws.system import System


def main() -> None:
    app = App()

    def said(name: str, default: str | None = None) -> str:
        value = app.node.try_get_context(name) or default
        if value is None:
            raise SystemExit(f"say -c {name}=… (docs/runbooks/aws.md)")
        return str(value)

    setting = SETTINGS[said("setting")]
    installation = Installation(
        region=said("region"),
        domain=said("domain"),
        certificate=said("certificate"),
        version=said("version"),
        alarms_to=said("alarms_to", ""),
        watched={name: value for name in WATCHED if (value := said(name.lower(), ""))},
    )
    Images(app, "eqtrade-images", region=installation.region)
    System(app, f"eqtrade-{setting.name}", setting=setting, installation=installation)
    Tags.of(app).add("system", "eqtrade")
    app.synth()


main()
