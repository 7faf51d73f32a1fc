"""docs/policy/ is true: every example is read and decided, every word of the format is on its page."""

import json
import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from adapters.policy import conditions
from adapters.policy.bundle import PRIMITIVES, Agent, AmountOf, Argument, Bundle, DeclaredAction, Rule, When
from adapters.policy.conditions import WANTED
from adapters.policy.effective import alone
from adapters.policy.fields import input_fields
from adapters.policy.file import parse
from adapters.policy.linting._possible import closed_words
from adapters.policy.linting.lists import KINDS
from adapters.policy.plain import PlainEngine
from adapters.policy.primitives.hours import Hours
from adapters.policy.primitives.rate import Rate
from adapters.policy.primitives.require import Requirement
from adapters.policy.primitives.require_approval import Rung, Terms
from adapters.policy.primitives.threshold import Threshold
from adapters.policy.stricter import OWN_NAMES
from adapters.policy.tables import pack
from adapters.policy.words import PREFIXES, SAYINGS
from adapters.policy.written import BundleCurrency, as_duration
from adapters.regorus import load
from domain.action import ActionType
from domain.decision import PolicyInput
from domain.errors import BundleRefused
from tests.docs.policy_pages import (
    HEADER,
    REFUSED,
    Block,
    TableRow,
    blocks,
    decided_by,
    input_of,
    read,
    section,
    start,
    table_rows,
    text_of,
)

PAGES = ("README.md", "format.md", "primitives.md", "conditions.md", "fields.md", "packs.md", "examples.md")
BLOCKS = [block for page in PAGES for block in blocks(page)]
POLICIES = [
    block
    for block in BLOCKS
    if block.language == "yaml"
    and block.first_line not in {"set:", REFUSED}
    and block.heading not in {"An input", "The rest of the file"}
]
ROWS = [row for page in PAGES for row in table_rows(page)]
CODE = re.compile(r"`([^`]+)`")
# Under which heading of format.md or primitives.md the keys of a model are.
KEYS: dict[tuple[str, str], type[BaseModel]] = {
    ("format.md", "The file"): Bundle,
    ("format.md", "A rule"): Rule,
    ("format.md", "When"): When,
    ("format.md", "Terms of an approval"): Terms,
    ("format.md", "A rung"): Rung,
    ("format.md", "Actions"): DeclaredAction,
    ("format.md", "An argument"): Argument,
    ("format.md", "An amount"): AmountOf,
    ("format.md", "Agents"): Agent,
    ("primitives.md", "threshold"): Threshold,
    ("primitives.md", "require"): Requirement,
    ("primitives.md", "hours"): Hours,
    ("primitives.md", "rate"): Rate,
}


def cells(page: str, heading: str, header: str) -> list[list[str]]:
    """The rows of the table that begins with `header` in a section."""
    _, found, rest = section(page, heading).partition(f"| {header} |")
    assert found, f"{page}, {heading}: no table begins with {header!r}"
    rows = rest.split("\n\n", 1)[0].split("\n")[2:]
    return [[cell.strip() for cell in row.strip().strip("|").split("|")] for row in rows if row]


def code_of(cell: str) -> str:
    return str(CODE.findall(cell)[0])


def place(part: Block | TableRow) -> str:
    return f"{part.page}:{part.line}"


@pytest.mark.parametrize("block", POLICIES, ids=place)
def test_every_policy_of_a_page_is_read_and_compiled(block: Block) -> None:
    assert load(alone(read(block))).version


@pytest.mark.parametrize("block", POLICIES, ids=place)
def test_every_policy_of_a_page_reads_back_as_it_was_published(block: Block) -> None:
    bundle = read(block)

    again = parse(json.dumps(bundle.content()))

    assert (again, alone(again).version) == (bundle, alone(bundle).version)


@pytest.mark.parametrize("row", ROWS, ids=place)
def test_every_answer_of_a_page_is_what_both_engines_say(row: TableRow) -> None:
    policy = decided_by(row.policies, row.heading)
    document = json.dumps(input_of(row))

    answered = PlainEngine(policy).decide_document(document)

    assert load(policy).decide_document(document) == answered
    assert (answered.verdict.value, row.reason in [reason.code for reason in answered.reasons]) == (
        row.verdict,
        True,
    ), [reason.code for reason in answered.reasons]


def test_every_table_of_answers_is_read() -> None:
    assert len({(row.page, row.heading) for row in ROWS}) > 30
    for page in PAGES:
        lines = text_of(page).split("\n")
        tables = sum(line == HEADER for line in lines)
        assert tables == 0 or any(row.page == page for row in ROWS)
        assert not any(line.startswith("| what differs") and line != HEADER for line in lines)


@pytest.mark.parametrize("page", ["primitives.md", "examples.md", "packs.md", "conditions.md"])
def test_every_policy_that_stands_on_a_page_has_answers(page: str) -> None:
    decided = {block for row in ROWS for block in row.policies}

    assert [place(block) for block in POLICIES if block.page == page and block not in decided] == []


def refused_examples() -> Iterator[tuple[Block, Block]]:
    for block, following in pairwise(BLOCKS):
        if block.first_line == REFUSED:
            yield block, following


@pytest.mark.parametrize(("block", "sentence"), [*refused_examples()])
def test_refused_example_is_refused_with_this_sentence(block: Block, sentence: Block) -> None:
    with pytest.raises(BundleRefused) as refused:
        parse(block.text.removeprefix(f"{REFUSED}\n"))

    assert f"{refused.value}\n" == sentence.text


def test_the_input_that_tables_start_from_is_a_whole_one() -> None:
    document = start()

    asked = PolicyInput.model_validate_json(json.dumps(document))

    left_out = set(PolicyInput.model_fields) - set(document)
    assert left_out == {"consent"}
    assert json.loads(asked.model_dump_json(exclude_none=True)) == document


@pytest.mark.parametrize(("page", "heading"), [*KEYS])
def test_every_key_is_on_its_page_with_its_default_and_nothing_else_is(page: str, heading: str) -> None:
    fields = KEYS[page, heading].model_fields
    known = {
        field.alias or name: _default(name, field) for name, field in fields.items() if name not in PRIMITIVES
    }

    assert {code_of(row[0]): row[1].strip("`") for row in cells(page, heading, "key")} == known


def _default(name: str, field: Any) -> str:
    if field.default_factory is not None:
        return "{}"
    if field.default is PydanticUndefined:
        return "required"
    if field.default is None:
        return "–"
    if isinstance(field.default, When):
        return "{}"
    if name == "expires_in":
        return as_duration(field.default)
    return json.dumps(list(field.default) if isinstance(field.default, tuple) else field.default).strip(
        '"' if field.default else ""
    )


def test_every_primitive_has_a_chapter_and_a_line() -> None:
    chapters = re.findall(r"^## (.+)$", text_of("primitives.md"), re.MULTILINE)
    listed = {code_of(row[0]): row[2] for row in _listed_primitives()}

    assert set(chapters) == set(PRIMITIVES)
    assert listed == {name: "yes" if part.grants else "" for name, part in PRIMITIVES.items()}


def _listed_primitives() -> list[list[str]]:
    table = text_of("primitives.md").split("| primitive |", 1)[1].split("\n\n", 1)[0]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in table.split("\n")[2:]]


@pytest.mark.parametrize("name", PRIMITIVES)
def test_every_code_of_a_primitive_is_shown_by_an_answer_in_its_chapter(name: str) -> None:
    shown = {row.reason for row in ROWS if row.page == "primitives.md" and row.heading == name}

    assert set(PRIMITIVES[name].says) <= shown


def test_every_reason_is_on_its_page_as_people_read_it_and_nothing_else_is() -> None:
    """A new code of `adapters/policy/words.py` or of a primitive needs its row in reasons.md."""
    told = {code_of(row[0]): row[1] for row in cells("reasons.md", "Codes", "code")}
    begun = {code_of(row[0]): row[1] for row in cells("reasons.md", "Codes", "code begins with")}

    assert told == dict(SAYINGS)
    assert begun == {code: said.replace("{}", "…") for code, said in PREFIXES.items()}


def test_every_name_that_the_library_gives_is_on_the_page_of_reasons() -> None:
    assert {code_of(row[0]) for row in cells("reasons.md", "Rules of the library", "rule")} == OWN_NAMES


def test_every_comparison_is_on_its_page_with_what_it_compares() -> None:
    told = {
        code_of(row[0]): set(row[1].split(", "))
        for row in cells("conditions.md", "Comparisons", "comparison")
    }
    wanted = {name: {kind.value for kind in kinds} for name, kinds in WANTED.items()}

    assert told == wanted | {"between": wanted["at_most"]}
    assert set(told) == {name.rstrip("_") for name in conditions._COMPARISONS}


def test_every_field_is_on_its_page_with_its_type_and_words_and_nothing_else_is() -> None:
    told = {
        code_of(row[0]): (row[1], set(CODE.findall(row[2])))
        for row in cells("fields.md", "Fields that a condition may name", "field")
    }

    assert told == {
        name: (kind.value, set(closed_words().get(name, ()))) for name, kind in input_fields().items()
    }


def test_every_part_of_the_input_that_no_condition_names_is_told_of() -> None:
    told = {code_of(row[0]) for row in cells("fields.md", "What only primitives read", "part of the input")}
    named = {name.split(".")[0] for name in input_fields()} | {"facts"}

    assert told == (set(PolicyInput.model_fields) - named) | {"agent.chain"}


def test_currencies_actions_and_kinds_of_data_are_those_of_the_product() -> None:
    [currencies] = [row[1] for row in cells("format.md", "The format", "value") if row[0] == "currency"]
    [built_in] = re.findall(r"^Built in are (.+)\.$", text_of("format.md"), re.MULTILINE)
    [kinds] = re.findall(r"^They are (.+); any other word", text_of("primitives.md"), re.MULTILINE)

    assert re.findall(r"[A-Z]{3}", currencies) == [*BundleCurrency]
    assert CODE.findall(built_in) == [*ActionType]
    assert set(CODE.findall(kinds)) == KINDS


@pytest.mark.parametrize("name", ["support_default", "retail"])
def test_every_rule_of_a_pack_is_told_and_nothing_else_is(name: str) -> None:
    rules = [rule.id for rule in parse(pack(name).read_text(encoding="utf-8")).rules]

    assert [code_of(row[0]) for row in cells("packs.md", name, "rule")] == rules


def test_a_page_that_says_something_else_would_be_seen() -> None:
    """The proof of the tables: the same rows with another verdict fail."""
    for row in ROWS[:20]:
        wrong = row._replace(verdict="deny" if row.verdict != "deny" else "allow")
        with pytest.raises(AssertionError):
            test_every_answer_of_a_page_is_what_both_engines_say(wrong)
