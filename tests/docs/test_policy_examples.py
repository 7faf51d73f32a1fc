"""Examples of docs/policy/ are true: every policy is read, and every answer is what both engines say."""

import json
from collections.abc import Iterator
from itertools import pairwise

import pytest

from adapters.policy.effective import alone
from adapters.policy.file import parse
from adapters.policy.plain import PlainEngine
from adapters.regorus import load
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


def test_a_page_that_says_something_else_would_be_seen() -> None:
    """The proof of the tables: the same rows with another verdict fail."""
    for row in ROWS[:20]:
        wrong = row._replace(verdict="deny" if row.verdict != "deny" else "allow")
        with pytest.raises(AssertionError):
            test_every_answer_of_a_page_is_what_both_engines_say(wrong)
