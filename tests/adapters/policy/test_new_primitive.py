"""A new primitive takes one Python file, one Rego file and one line: that of CONTRIBUTING.md, in a copy."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
SECTION = "## To add a primitive"
HERE = "    # Register a primitive here.\n"
POLICY = """
schema_version: 2
name: short_conversations
default: deny
rules:
  - id: replies
    when: {actions: [reply]}
    allow: true
    most_turns: 3
"""
DECIDE = """
import json, sys
from adapters.policy.effective import alone
from adapters.policy.file import parse
from adapters.policy.plain import PlainEngine
from adapters.regorus import load
asked = json.load(sys.stdin)
policy = alone(parse(asked["policy"]))
answers = [[engine.decide_document(json.dumps(each)) for each in asked["inputs"]]
           for engine in (load(policy), PlainEngine(policy))]
assert answers[0] == answers[1], "the engines differ"
print(json.dumps([[a.verdict.value, a.reasons[0].code, a.messages[0]] for a in answers[0]]))
"""


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The code that policies need, with the primitive of the page in it."""
    for folder in ("adapters", "domain", "policies"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").partition(SECTION)[2]
    python, line = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    [rego] = re.findall(r"```rego\n(.*?)```", page, re.DOTALL)
    (tmp_path / "adapters/policy/primitives/most_turns.py").write_text(python, encoding="utf-8")
    (tmp_path / "policies/library/primitives/most_turns.rego").write_text(rego, encoding="utf-8")
    bundle = tmp_path / "adapters/policy/bundle.py"
    text = bundle.read_text(encoding="utf-8")
    imported = "from adapters.policy.primitives.most_turns import MostTurns\n"
    text = text.replace(
        "from adapters.policy.primitives.purpose", f"{imported}from adapters.policy.primitives.purpose"
    )
    bundle.write_text(text.replace(HERE, HERE + line), encoding="utf-8")
    return tmp_path


def in_turn(turn: object) -> dict[str, object]:
    return {
        "schema_version": 2,
        "mode": "automate",
        "channel": "public",
        "action": {"type": "reply"},
        "agent": {"id": "support_agent", "permission_level": "execute", "chain": []},
        "ticket": {"owner": "automation", "signals": [], "turn": turn},
    }


def decided(where: Path, *inputs: dict[str, object]) -> list[list[str]]:
    ran = subprocess.run(  # noqa: S603 - our own code, in a process of its own because it is another copy
        [sys.executable, "-c", DECIDE],
        input=json.dumps({"policy": POLICY, "inputs": inputs}),
        env={**os.environ, "PYTHONPATH": str(where)},  # noqa: TID251 - the child's own
        cwd=where,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    found: list[list[str]] = json.loads(ran.stdout)
    return found


def test_primitive_of_the_page_decides_the_same_by_both_engines(copy: Path) -> None:
    found = decided(copy, *(in_turn(turn) for turn in (0, 2, 3, -1, "2", None)))

    late = "This is done in the first turns of a ticket only"
    unknown = ["deny", "turn_missing", "It is not known which turn this is"]
    assert found == [
        ["allow", "allowed", "Policy allows this action"],
        ["allow", "allowed", "Policy allows this action"],
        ["deny", "too_many_turns", late],
        unknown,
        unknown,
        unknown,
    ]


def test_primitive_whose_two_meanings_differ_would_be_seen(copy: Path) -> None:
    rego = copy / "policies/library/primitives/most_turns.rego"
    rego.write_text(rego.read_text().replace("turn_given >= most", "turn_given > most"))

    with pytest.raises(AssertionError, match="the engines differ"):
        decided(copy, in_turn(3))


def test_primitive_without_its_line_is_no_word_of_the_format(copy: Path) -> None:
    bundle = copy / "adapters/policy/bundle.py"
    bundle.write_text(bundle.read_text().replace("    most_turns: MostTurns | None = None\n", ""))

    with pytest.raises(AssertionError, match="most_turns: is not a word this file knows"):
        decided(copy, in_turn(0))
