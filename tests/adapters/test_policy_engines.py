"""Both engines give the same answer, and it is the strictest one that any rule asks for."""

import json
import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import JsonValue

from adapters import regorus
from adapters.policy.effective import Effective
from adapters.policy.plain import PlainEngine
from adapters.policy.tables import Document, DocumentEngine, changed, run, tables
from adapters.policy.words import SAYINGS
from adapters.rego_tests import run_rego_tests
from adapters.regorus import ENGINE_FAILED, RegorusEngine, load
from domain.decision import EngineAnswer, Verdict
from tests.adapters.policy_inputs import as_input, engines, other, refund, reply, starter
from tests.opa.blocking import blocking_opa

ALLOW, DENY = Verdict.ALLOW, Verdict.DENY
TABLES = dict(tables())


Load = Callable[[Effective], DocumentEngine]


@pytest.fixture(scope="module")
def opa() -> Iterator[Load]:
    with blocking_opa() as server:
        yield server.load


@pytest.fixture(params=["regorus", "plain", "opa"])
def load_engine(request: pytest.FixtureRequest) -> Load:
    """Each engine behind the port; OPA in a process of its own, over HTTP."""
    engines_here: dict[str, Load] = {"regorus": load, "plain": PlainEngine}
    return engines_here.get(request.param) or request.getfixturevalue("opa")


@pytest.mark.parametrize("name", TABLES)
def test_every_row_of_every_table(name: str, load_engine: Load) -> None:
    outcomes = list(run(TABLES[name], load_engine))

    assert outcomes
    assert [outcome for outcome in outcomes if outcome.failure] == []


def test_a_wrong_row_fails() -> None:
    right = TABLES["refunds"].rows[0]
    wrong = TABLES["refunds"].model_copy(update={"rows": (right.model_copy(update={"verdict": DENY}),)})

    (outcome,) = run(wrong, PlainEngine)

    assert outcome.failure == "expected deny (within_limit), got allow (within_limit)"


def test_rego_tests_of_the_library_pass() -> None:
    results = list(run_rego_tests())

    assert results
    assert [name for name, failure in results if failure] == []


def test_a_wrong_rego_test_fails(tmp_path: Path) -> None:
    wrong = "package wrong_test\n\ntest_false if 1 == 2\n\ntest_true if 1 == 1\n"
    (tmp_path / "wrong_test.rego").write_text(wrong)

    assert list(run_rego_tests(tmp_path)) == [("test_false", "is not true"), ("test_true", None)]


# Shown beside the primitives and the levels, with a policy of their own each.
SHOWN = tuple(Path(__file__).with_name("policy") / name for name in ("test_primitives.py", "test_levels.py"))


def test_every_reason_has_a_row_or_a_test_of_its_own() -> None:
    rows = {row.reason for table in TABLES.values() for row in table.rows}
    shown = {word for file in SHOWN for word in re.findall(r'"([a-z_]+)"', file.read_text())}

    assert set(SAYINGS) - rows - shown == {"engine_failed", "kind_unknown", "no_policy", "no_rule_applies"}


def answer(document: Document) -> EngineAnswer:
    return engines()[0].decide_document(json.dumps(document))


def test_approval_says_who_and_how_long() -> None:
    asked = answer(refund(5001)).obligations

    assert asked is not None
    assert (asked.approver_groups, asked.quorum, asked.expires_in_s) == (("approvers",), 1, 86400)
    assert answer(refund(5000)).obligations is None


def test_messages_name_the_limits() -> None:
    assert answer(refund(5001)).messages == ("Above 50.00 EUR a person must approve",)


def facts(document: JsonValue, path: tuple[str, ...] = ()) -> list[str]:
    if not isinstance(document, dict):
        return [".".join(path)]
    below = [found for word, value in document.items() for found in facts(value, (*path, word))]
    return [".".join(path), *below] if path else below


@pytest.mark.parametrize("path", [path for path in facts(refund()) if path != ""])
def test_a_missing_fact_never_makes_a_refund_easier(path: str) -> None:
    ornaments = {"tenant_id", "ticket_id", "action.band", "action.digest", "agent.id", "ticket.turn"}
    unread = ornaments | {"order.status"}

    answered = answer(changed(refund(), {path: None}))

    assert answered.verdict is (ALLOW if path in unread else DENY)


amounts = st.one_of(st.integers(-2, 2), st.integers(4998, 5002), st.integers(49998, 50002), st.integers())
floats = st.floats(allow_nan=False, allow_infinity=False)
odd = st.one_of(
    st.none(), st.booleans(), amounts, floats, st.text(max_size=3), st.just([]), st.just({}),
    st.sampled_from(["EUR", "JPY", "assist", "observe", "teammate", "read", "draft", "reply", "slack_post"]),
    st.lists(st.sampled_from(["injection", "identity_in_doubt", "public", "internal", "x"]), max_size=3),
)  # fmt: skip


@settings(max_examples=500, deadline=None)
@given(
    start=st.one_of(
        st.builds(refund, amounts, st.sampled_from(["EUR", "USD", "JPY"])),
        st.builds(reply, st.sampled_from(["public", "internal", "privileged"])),
        st.builds(other, st.sampled_from(["private_note", "set_status", "slack_update", "x"])),
    ),
    changes=st.lists(st.tuples(st.sampled_from(facts(refund())), odd), max_size=4),
)
def test_rego_and_plain_python_agree(start: Document, changes: list[tuple[str, JsonValue]]) -> None:
    document = start
    for path, value in changes:
        try:
            document = changed(document, {path: value})
        except KeyError:
            continue  # the fact went with an earlier change

    rego, plain = engines()

    assert rego.decide_document(json.dumps(document)) == plain.decide_document(json.dumps(document))


def test_a_typed_input_is_decided_like_its_document() -> None:
    for engine in engines():
        assert engine.decide(as_input(refund(5001))) == answer(refund(5001))


@pytest.mark.parametrize("document", [refund(5000), refund(50001), reply("public"), other("x"), {}])
def test_every_engine_gives_the_same_answer_under_the_same_version(
    document: Document, load_engine: Load
) -> None:
    engine: Any = load_engine(starter())

    assert engine.decide_document(json.dumps(document)) == answer(document)
    assert engine.version == starter().version


class Panicking:
    """Stands for an engine whose native code gives up."""

    class PanicException(BaseException):
        pass

    def set_input_json(self, _: str) -> None:
        raise self.PanicException("slice index out of range")


class Undefined:
    """Stands for an engine without an answer."""

    def set_input_json(self, _: str) -> None:
        pass

    def eval_rule_as_json(self, _: str) -> str:
        return '"<undefined>"'


@pytest.mark.parametrize("broken", [Panicking(), Undefined(), "no engine at all"])
def test_a_broken_engine_denies_and_the_next_one_is_new(broken: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = load(starter())
    monkeypatch.setattr(regorus._engines(), "_answering", broken)

    assert engine.decide(as_input(refund())) == ENGINE_FAILED
    assert ENGINE_FAILED.verdict is DENY
    assert engine.decide(as_input(refund())).verdict is ALLOW


@pytest.mark.parametrize("garbage", ["", "{", "[]", "null", "\x00"])
def test_garbage_denies(garbage: str) -> None:
    assert RegorusEngine(starter()).decide_document(garbage).verdict is DENY


def test_every_thread_has_an_engine_of_its_own() -> None:
    engine = load(starter())
    answers: list[EngineAnswer] = []

    for _ in range(2):
        thread = threading.Thread(target=lambda: answers.append(engine.decide(as_input(refund()))))
        thread.start()
        thread.join()
        answers.append(engine.decide(as_input(refund())))

    assert [answer.verdict for answer in answers] == [ALLOW] * 4
