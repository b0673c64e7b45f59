"""The services of a compose file, as they are written."""

from typing import Any

import yaml

from eqtrade.up.options import PROJECT


class _Loader(yaml.SafeLoader):
    """Knows Compose's own tags, which say how the files are joined."""


def _joined(loader: yaml.SafeLoader, node: yaml.Node) -> Any:
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    assert isinstance(node, yaml.MappingNode)
    return loader.construct_mapping(node, deep=True)


_Loader.add_constructor("!override", _joined)


def read(name: str) -> dict[str, dict[str, Any]]:
    text = (PROJECT / name).read_text()
    found: dict[str, dict[str, Any]] = yaml.load(text, _Loader)["services"]  # noqa: S506 - ours
    return found
