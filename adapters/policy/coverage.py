"""Which rules of a policy decide some row of its tables: give a reason, or change the answer."""

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from pydantic import JsonValue

from adapters.policy.effective import Effective
from adapters.policy.plain import PlainEngine
from adapters.policy.tables import Table, changed


@dataclass(frozen=True)
class Covered:
    """One policy and its rules by name, in the order of the file; `never` decided no row."""

    name: str
    rules: tuple[str, ...]
    never: tuple[str, ...]


def covered(tables: Iterable[Table]) -> Iterator[Covered]:
    """One for each policy that the tables are about, whatever the number of tables."""
    policies: dict[str, tuple[str, Effective]] = {}
    decided: dict[str, set[str]] = {}
    for table in tables:
        policy = table.policy()
        policies.setdefault(policy.version, (table.name, policy))
        for document in _documents(table):
            known = decided.setdefault(policy.version, set())
            known |= _deciding(policy, document, known)
    for version, (name, policy) in policies.items():
        rules = tuple(rule["id"] for rule in _rules(policy))
        never = tuple(rule for rule in rules if rule not in decided.get(version, ()))
        yield Covered(name, rules, never)


def _documents(table: Table) -> Iterator[str]:
    for row in table.rows:
        with suppress(KeyError):  # a place that the input has not fails its row, where tables are run
            yield json.dumps(changed(table.input, row.set))


def _deciding(policy: Effective, document: str, known: set[str]) -> set[str]:
    answer = PlainEngine(policy).decide_document(document)
    found = {reason.rule for reason in answer.reasons}
    for place, rule in enumerate(_rules(policy)):
        if rule["id"] in known | found:
            continue
        if PlainEngine(without(policy, place)).decide_document(document) != answer:
            found.add(rule["id"])
    return found


def without(policy: Effective, place: int) -> Effective:
    """The same policy, in which no level looks at the rule at a place."""
    levels: Any = policy.document["levels"]
    weakened: list[JsonValue] = [
        {**level, "rules_of": _unlisted(level["rules_of"], place)} for level in levels
    ]
    return Effective({**policy.document, "levels": weakened}, policy.sources)


def _unlisted(index: Mapping[str, list[int]], place: int) -> dict[str, JsonValue]:
    return {action: [each for each in places if each != place] for action, places in index.items()}


def _rules(policy: Effective) -> list[Any]:
    rules: Any = policy.document["rules"]
    return [*rules]
