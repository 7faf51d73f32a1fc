"""Whatever is in doubt is an exception with a fixed text, never a half redacted answer."""

import logging

import pytest
import regex

from adapters.presidio import recognizers, tripwire
from adapters.presidio.identities import MAX_IDENTITIES, TooManyIdentities
from adapters.presidio.normalise import MAX_CHARACTERS, TextTooLong
from adapters.presidio.placeholders import Placeholders
from adapters.presidio.recognizers import Rule, RuleRecognizer
from adapters.presidio.redaction import RedactionEngine
from adapters.presidio.tripwire import TripwireHit
from domain.placeholder import PlaceholderKind
from tests.adapters.presidio.conftest import Conversing


def test_pattern_that_takes_too_long_raises_instead_of_being_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recognizers, "PATTERN_TIMEOUT_S", 0.01)
    stalling = RuleRecognizer(Rule("stalling", PlaceholderKind.NUMBER, r"(?:a+a+)+b", 0.5))

    with pytest.raises(TimeoutError):
        stalling.analyze("a" * 5_000, [])


def test_stalled_pattern_fails_the_whole_redaction(
    redaction: RedactionEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stall(*_: object, **__: object) -> list[object]:
        raise TimeoutError

    monkeypatch.setattr(RuleRecognizer, "analyze", stall)

    with pytest.raises(TimeoutError):
        redaction.redact_text("joe@example.com")


def test_blind_recognisers_are_caught_by_the_tripwire(
    redaction: RedactionEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(RuleRecognizer, "analyze", lambda *_, **__: [])

    with pytest.raises(TripwireHit):
        redaction.redact_text("write to joe@example.com")


@pytest.mark.parametrize(
    "text",
    [
        "a joe@example.com",
        "x 123456789 y",
        "DE89 3704 0044 0532 0130 00",
        "4111 1111 1111 1111",
        "joe@localhost",
    ],
)
def test_tripwire_hits_what_must_never_be_left(text: str) -> None:
    with pytest.raises(TripwireHit):
        tripwire.check(text)


@pytest.mark.parametrize(
    "text",
    ["[[EMAIL_1_ab12]] and [[CARD_2_ab12]]", "12345678", "2024-05-15 15:00", "5 @ 10", "THE QUICK BROWN FOX"],
)
def test_tripwire_leaves_ordinary_text_alone(text: str) -> None:
    tripwire.check(text)


def test_text_over_the_cap_is_refused(redaction: RedactionEngine) -> None:
    with pytest.raises(TextTooLong):
        redaction.redact_text("a" * (MAX_CHARACTERS + 1))


def test_conversation_over_the_cap_is_refused(redaction: RedactionEngine, conversing: Conversing) -> None:
    message = "ab " * (MAX_CHARACTERS // 3)

    with pytest.raises(TextTooLong):
        redaction.redact(conversing(message, message, message), {})


def test_text_that_grows_over_the_cap_is_refused(redaction: RedactionEngine) -> None:
    with pytest.raises(TextTooLong):
        redaction.redact_text("\ufdfa" * (MAX_CHARACTERS // 10))


def test_more_known_values_than_can_be_searched_are_refused(
    redaction: RedactionEngine, conversing: Conversing
) -> None:
    known = {f"[[EMAIL_{n}_ab12]]": f"j{n}@example.com" for n in range(1, MAX_IDENTITIES + 2)}

    with pytest.raises(TooManyIdentities):
        redaction.redact(conversing("hello"), known)


def test_too_many_values_for_a_placeholder_are_refused() -> None:
    placeholders = Placeholders({"[[EMAIL_9999_ab12]]": "a@example.com"}, [])

    with pytest.raises(ValueError, match="too many"):
        placeholders.of(PlaceholderKind.EMAIL, "b@example.com")


def test_nothing_of_a_text_is_logged(redaction: RedactionEngine, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, logger="root"):
        redaction.redact_text("Regards,\nZebulon Quist, joe@example.com, 4111 1111 1111 1111")

    assert "joe" not in caplog.text
    assert "1111" not in caplog.text
    assert logging.getLogger("presidio-analyzer").level == logging.WARNING


def test_every_rule_compiles_and_has_its_own_name() -> None:
    names = [rule.name for rule in recognizers.RULES]

    assert len(names) == len(set(names))
    assert all(regex.compile(rule.pattern) for rule in recognizers.RULES)
