"""Runs `test_` rules of `*_test.rego`, the library's and authors', which stay readable for `opa test`."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import regorus

from adapters.policy.bundle import POLICIES, library
from adapters.policy.effective import Effective

LIBRARY = POLICIES / "library"
TEST = re.compile(r"^(test_\w+)\b", re.MULTILINE)
PACKAGE = re.compile(r"^package\s+([\w.]+)", re.MULTILINE)
NOT_TRUE = "is not true"


def run_rego_tests(
    folder: Path = LIBRARY, policy: Effective | None = None
) -> Iterator[tuple[str, str | None]]:
    """Each test's name, and what is wrong with it or None. `policy` is `data.bundle` of the tests."""
    for path in sorted(folder.glob("*_test.rego")):
        yield from _tests_of(path, policy)


def _tests_of(path: Path, policy: Effective | None) -> Iterator[tuple[str, str | None]]:
    try:
        rego = path.read_text(encoding="utf-8")
        engine = _engine(path.name, rego, policy)
    except (UnicodeDecodeError, RuntimeError, ValueError) as error:
        yield path.name, f"cannot be read: {_first_line(error)}"
        return
    package = PACKAGE.search(rego)
    names = dict.fromkeys(TEST.findall(rego))
    if package is None or not names:
        yield path.name, "has no package or no rule that begins with test_"
        return
    for name in names:
        yield name, _failure(engine, f"data.{package[1]}.{name}")


def _failure(engine: regorus.Engine, rule: str) -> str | None:
    try:
        return None if engine.eval_rule(rule) is True else NOT_TRUE
    except BaseException as error:
        # A panic of the native engine is a BaseException that has no name to import.
        if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
            raise
        return f"cannot be evaluated: {_first_line(error)}"


def _first_line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return next(
        (line for line in lines if line.startswith("error:")), lines[0] if lines else "no reason given"
    )


def _engine(name: str, tests: str, policy: Effective | None) -> regorus.Engine:
    engine = regorus.Engine()
    engine.add_policy("countersign.rego", library())
    engine.add_policy(name, tests)
    if policy is not None:
        engine.add_data_json(json.dumps({"bundle": policy.document}))
    return engine
