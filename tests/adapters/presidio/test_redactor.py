"""The port on real children: fixed errors without cause, and a living parent whatever a text does."""

from collections.abc import AsyncIterator

import pytest

from adapters.child_pool import ChildPool
from adapters.presidio.normalise import MAX_CHARACTERS
from adapters.presidio.redactor import PresidioRedactor
from adapters.triage.linear import LinearClassifier
from adapters.triage.taxonomy import starter_taxonomy
from domain.errors import ChildDied, ChildOverran, RedactionFailed
from domain.placeholder import PLACEHOLDER
from domain.triage import Signal
from tests.adapters.mortal_child import HANGS, KILLS, RAISES
from tests.adapters.presidio.conftest import Conversing


@pytest.fixture(scope="module")
async def pool() -> AsyncIterator[ChildPool]:
    async with ChildPool(2, module="tests.adapters.mortal_child") as running:
        await running.ready()
        yield running


async def test_conversation_comes_back_redacted(pool: ChildPool, conversing: Conversing) -> None:
    redacted = await PresidioRedactor(pool).redact(conversing("I am at joe@example.com", name="Ann Poe"), {})

    assert sorted(redacted.values.values()) == ["Ann Poe", "joe@example.com"]
    assert PLACEHOLDER.search(redacted.conversation.messages[0].body)


async def test_single_text_comes_back_redacted(pool: ChildPool) -> None:
    redacted = await PresidioRedactor(pool).redact_text("rejected, joe@example.com is not known", {})

    assert "joe" not in redacted


async def test_people_of_the_ticket_are_taken_out_of_what_teammates_type(pool: ChildPool) -> None:
    known = {"[[PERSON_1_k7]]": "Zora Quist", "order_0a1b2c3d": "HB-7"}

    redacted = await PresidioRedactor(pool).redact_text("zora quist called, Quist was angry", known)

    assert "quist" not in redacted.lower()
    assert redacted.endswith("was angry")


async def test_text_that_kills_its_child_is_an_exception_and_the_next_one_is_redacted(
    pool: ChildPool, conversing: Conversing
) -> None:
    redactor = PresidioRedactor(pool)

    with pytest.raises(ChildDied):
        await redactor.redact(conversing(KILLS), {})

    assert (await redactor.redact(conversing("joe@example.com"), {})).counts == {"EMAIL": 1}


async def test_text_that_hangs_its_child_is_an_exception(pool: ChildPool, conversing: Conversing) -> None:
    with pytest.raises(ChildOverran):
        await PresidioRedactor(pool, deadline_s=0.2).redact(conversing(HANGS), {})


async def test_failure_in_the_child_has_a_fixed_text_and_no_cause(
    pool: ChildPool, conversing: Conversing, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(RedactionFailed) as failed:
        await PresidioRedactor(pool).redact(conversing(f"{RAISES} of joe@example.com"), {})

    written = capfd.readouterr()
    assert failed.value.__cause__ is None
    assert failed.value.__suppress_context__
    assert "joe" not in f"{failed.value}{written.out}{written.err}"


async def test_oversize_text_fails(pool: ChildPool) -> None:
    with pytest.raises(RedactionFailed):
        await PresidioRedactor(pool).redact_text("a" * (MAX_CHARACTERS + 1), {})


async def test_redacted_conversation_is_classified(pool: ChildPool, conversing: Conversing) -> None:
    redacted = await PresidioRedactor(pool).redact(
        conversing("Where is my order HB-1042? I want to talk to a human."), {}
    )

    triage = await LinearClassifier(pool).classify(redacted.conversation, starter_taxonomy())

    assert triage.intent in {"order_status", "contact_request"}
    assert triage.signals == (Signal.ASKS_FOR_HUMAN,)


async def test_classifier_whose_child_overruns_answers_the_fallback(
    pool: ChildPool, conversing: Conversing
) -> None:
    classifier = LinearClassifier(pool, deadline_s=0.0)

    triage = await classifier.classify(conversing("Where is my order?"), starter_taxonomy())

    assert (triage.intent, triage.confidence_permille) == ("other", 0)
