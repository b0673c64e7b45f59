"""The documentation shows what each call takes or answers."""

from pathlib import Path
from typing import Any

from django.core.management import call_command
from drf_spectacular.generators import SchemaGenerator

# The schema itself.
WITHOUT = {"/api/v1/schema/"}


def test_every_call_has_an_example() -> None:
    schema: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    bare = [
        f"{method} {path}"
        for path, methods in schema["paths"].items()
        if path not in WITHOUT
        for method, call in methods.items()
        # 204 answers with nothing.
        if "204" not in call["responses"]
        and not any("examples" in content for content in _contents(call))
    ]
    assert bare == []


def _contents(call: dict[str, Any]) -> list[dict[str, Any]]:
    """What the call takes, and what it answers when all is well."""
    bodies = [call.get("requestBody", {})]
    bodies += [answer for code, answer in call["responses"].items() if code.startswith("2")]
    return [content for body in bodies for content in body.get("content", {}).values()]


def test_no_name_of_the_schema_is_made_of_a_hash(tmp_path: Path) -> None:
    """Two sets of choices under one field's name want names of their own in `ENUM_NAME_OVERRIDES`;
    the command refuses any warning."""
    call_command("spectacular", file=str(tmp_path / "schema.yaml"), fail_on_warn=True)
