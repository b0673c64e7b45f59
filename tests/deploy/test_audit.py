"""`make audit` says what it found, and never takes silence for a good answer.

In place of the tools are scripts that say what the real ones say.
"""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from deploy import audit
from deploy.steps import Failed
from eqtrade.up.options import PROJECT

LOOKED_UP = {"dependencies": [{"name": "six", "version": "1.17.0", "vulns": []}], "fixes": []}
VULNERABLE = {
    "dependencies": [
        {
            "name": "six",
            "version": "1.17.0",
            "vulns": [{"id": "PYSEC-1", "fix_versions": ["1.18"], "aliases": []}],
        }
    ]
}
PASSED_OVER = {"dependencies": [{"name": "six", "skip_reason": "not found on PyPI"}]}
CLEAN = {"auditReportVersion": 2, "vulnerabilities": {}}


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Have pip-audit, bandit and npm say this and exit with that."""

    def be(pip_audit: object = LOOKED_UP, npm: object = CLEAN, bandit: int = 0) -> None:
        python, node = tmp_path / "python", tmp_path / "npm"
        said = {"pip_audit": (pip_audit, 0), "bandit": ("a finding", bandit)}
        cases = "".join(
            f"{name}) cat <<'END'\n{say(text)}\nEND\nexit {code};;\n"
            for name, (text, code) in said.items()
        )
        python.write_text(f'#!/bin/sh\ncase "$2" in\n{cases}esac\n')
        node.write_text(f"#!/bin/sh\ncat <<'END'\n{say(npm)}\nEND\n")
        for program in (python, node):
            program.chmod(0o755)
        monkeypatch.setattr(audit, "PYTHON", python)
        monkeypatch.setattr(audit, "install_tools", lambda: None)
        monkeypatch.setattr(audit, "find_npm", lambda: ([node], {}))
        monkeypatch.setattr(audit, "images_pinned", lambda: "")

    return be


def say(what: object) -> str:
    return what if isinstance(what, str) else json.dumps(what)


def test_nothing_found(tools: Callable[..., None], capsys: pytest.CaptureFixture[str]) -> None:
    tools()
    audit.audit()
    said = capsys.readouterr().out
    assert "pip-audit was NOT run" not in said
    assert "npm audit was NOT run" not in said


def test_a_vulnerability_fails_it(tools: Callable[..., None]) -> None:
    tools(pip_audit=VULNERABLE)
    with pytest.raises(Failed, match="pip-audit"):
        audit.audit()
    tools(npm={"vulnerabilities": {"vite": {"severity": "high", "range": "<9"}}})
    with pytest.raises(Failed, match="npm audit"):
        audit.audit()


def test_a_dangerous_call_fails_it(tools: Callable[..., None]) -> None:
    tools(bandit=1)
    with pytest.raises(Failed, match="bandit"):
        audit.audit()


@pytest.mark.parametrize("answer", [PASSED_OVER, "no route to host", {"error": {"code": "E405"}}])
def test_silence_is_no_good_answer(
    tools: Callable[..., None], capsys: pytest.CaptureFixture[str], answer: object
) -> None:
    tools(pip_audit=answer, npm={"error": {"code": "E405"}})
    audit.audit()
    said = capsys.readouterr().out
    assert "pip-audit was NOT run, and nothing is known of it" in said
    assert "npm audit was NOT run, and nothing is known of it" in said


def test_the_image_lists_what_it_is_made_of() -> None:
    """`make compose-test` compares the list with what is installed there."""
    text = (PROJECT / "Dockerfile").read_text().replace("\\\n", " ")
    assert re.search(r"cyclonedx-py environment .*/opt/venv/bin/python", text)
    assert re.search(r"npm sbom --sbom-format cyclonedx", text)
    assert text.count("/srv/sbom/") == 2
