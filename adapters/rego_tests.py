"""Runs `test_` rules of the library's `*_test.rego` files, which stay readable for `opa test`."""

import re
from collections.abc import Iterator
from pathlib import Path

import regorus

from adapters.policy.bundle import POLICIES, library

LIBRARY = POLICIES / "library"
TEST = re.compile(r"^(test_\w+)\b", re.MULTILINE)
PACKAGE = re.compile(r"^package\s+([\w.]+)", re.MULTILINE)


def run_rego_tests(folder: Path = LIBRARY) -> Iterator[tuple[str, bool]]:
    """Each test's name and whether it is true; an undefined one is not."""
    for path in sorted(folder.glob("*_test.rego")):
        rego = path.read_text(encoding="utf-8")
        package = PACKAGE.search(rego)
        engine = _engine(path.name, rego)
        for name in dict.fromkeys(TEST.findall(rego)):
            yield name, package is not None and engine.eval_rule(f"data.{package[1]}.{name}") is True


def _engine(name: str, tests: str) -> regorus.Engine:
    engine = regorus.Engine()
    engine.add_policy("countersign.rego", library())
    engine.add_policy(name, tests)
    return engine
