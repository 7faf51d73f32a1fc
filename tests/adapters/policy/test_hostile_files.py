"""A broken, malicious or empty policy file is refused with one sentence, soon and in little memory."""

import json
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from adapters.policy.conditions import Condition
from adapters.policy.file import parse, read_file
from adapters.policy.tables import pack
from adapters.policy.yaml_file import MAX_CHARACTERS
from domain.errors import BundleRefused
from tests.adapters.policy.hostile_files import FILES, HEAD

LONGEST_CPU_S = 2.0
MOST_MB = 200
LONGEST_SENTENCE = 1500


@cache
def measured() -> dict[str, tuple[float, float, str | None]]:
    answered = subprocess.run(
        [sys.executable, "-m", "tests.adapters.policy.hostile_files"],
        check=True,
        capture_output=True,
        text=True,
        timeout=300,
    )
    lines = (json.loads(line) for line in answered.stdout.splitlines())
    return {name: (cpu, megabytes, said) for name, cpu, megabytes, said in lines}


@pytest.mark.parametrize("name", FILES)
def test_hostile_file_is_refused_with_one_sentence_soon_and_in_little_memory(name: str) -> None:
    cpu_s, megabytes, said = measured()[name]

    assert said is not None
    assert FILES[name][1] in said
    assert "\n" not in said
    assert len(said) < LONGEST_SENTENCE
    assert cpu_s < LONGEST_CPU_S
    assert megabytes < MOST_MB


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (b"\xff\xfe", "policy.yaml: line 1: it is not UTF-8 text"),
        (HEAD.encode() + b"description: caf\xe9\n", "policy.yaml: line 4: it is not UTF-8 text"),
        (b"a" * (MAX_CHARACTERS * 4) + b"\xff", "policy.yaml: it is longer than"),
        (b"a" * 10_000_000, "policy.yaml: it is longer than"),
        (b"", "policy.yaml: it is empty"),
    ],
)
def test_refusal_names_the_file(tmp_path: Path, written: bytes, said: str) -> None:
    file = tmp_path / "policy.yaml"
    file.write_bytes(written)

    with pytest.raises(BundleRefused, match=f"refused: {said}"):
        read_file(file)


def test_file_with_a_byte_order_mark_and_foreign_letters_is_read(tmp_path: Path) -> None:
    file = tmp_path / "policy.yaml"
    file.write_text(
        "\ufeff" + HEAD.replace("\n", "\r\n") + "description: Größere Beträge, 返金\n", encoding="utf-8"
    )

    assert read_file(file).description == "Größere Beträge, 返金"


def test_an_alias_that_stays_small_is_read() -> None:
    limits = '{EUR: "500.00", GBP: "500.00", USD: "500.00"}'
    text = pack("support_default").read_text().replace('{EUR: "50.00", GBP: "50.00", USD: "50.00"}', limits)
    anchored = text.replace(f"allow_up_to: {limits}", f"allow_up_to: &x {limits}")

    aliased = anchored.replace(f"approval_up_to: {limits}", "approval_up_to: *x")

    assert "*x" in aliased
    assert parse(aliased) == parse(text)


@pytest.mark.parametrize(
    "pattern", ["refund_[a-z]+", "[0-9]{1,100}", "(a|b)+", "(ab|cd){1,3}", "a?" * 10, ".*a.*"]
)
def test_patterns_that_end_soon_are_read(pattern: str) -> None:
    assert Condition.model_validate({"field": "channel", "matches": pattern}).matches == pattern
