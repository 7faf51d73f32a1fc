"""Inputs and queue lines in words."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum

import pytest

from api import words as words_of
from api.input_words import told_input
from api.words import until
from domain.action import ActionType
from domain.approval import ApprovalStatus, VoteRefusal
from domain.decision import OnTimeout, Verdict
from domain.effect import EffectState
from domain.ticket import Stage

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def test_values_are_shown_as_people_write_them() -> None:
    [action, ticket, other] = told_input(
        {
            "mode": "automate",
            "action": {"amount": {"minor_units": 8905, "currency": "EUR"}, "tags": ["a_b", "c"], "zones": []},
            "ticket": {"confidence_permille": 873, "something_new": None},
        }
    )

    assert [(row.label, row.value) for row in action.rows] == [
        ("Amount", "89.05 EUR"),
        ("Tags", "a b, c"),
        ("Knowledge it rests on", "None"),
    ]
    assert [(row.label, row.value) for row in ticket.rows] == [
        ("Confidence", "87.3 %"),
        ("Something new", "–"),
    ]
    assert [(row.label, row.value) for row in other.rows] == [("Mode of the tenant", "Automate")]


@pytest.mark.parametrize(
    ("apart", "words"),
    [
        (timedelta(0), "0 min ago"),
        (timedelta(minutes=59, seconds=59), "in 59 min"),
        (timedelta(hours=1), "in 1 h"),
        (timedelta(hours=47), "in 47 h"),
        (timedelta(hours=48), "in 2 days"),
        (-timedelta(hours=3), "3 h ago"),
    ],
)
def test_due_time_is_told_from_now(apart: timedelta, words: str) -> None:
    assert until(NOW + apart, NOW) == words


@pytest.mark.parametrize(
    ("codes", "known"),
    [
        (Stage, words_of.STAGES),
        (Verdict, words_of.VERDICTS),
        (ActionType, words_of.ACTIONS),
        (EffectState, words_of.EFFECT_STATES),
        (ApprovalStatus, words_of.APPROVALS),
        (VoteRefusal, words_of.CLICKS),
        (OnTimeout, words_of.TIMEOUTS),
    ],
)
def test_every_code_has_words(codes: type[StrEnum], known: Mapping[str, str]) -> None:
    assert set(known) == set(codes)
