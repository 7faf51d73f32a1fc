"""The demo's table says so where something left too often or not at all."""

import pytest

from cli.demo_account import Left, is_expected_to_leave
from cli.demo_data import DemoTicket, tickets

TICKETS = {ticket.name: ticket for ticket in tickets()}
ROWS = [
    ("return_question", Left(1, 0, 0), True, "answered once"),
    ("return_question", Left(2, 0, 0), False, "answered twice"),
    ("return_question", Left(0, 1, 0), False, "a word that answers nothing"),
    ("medium_refund", Left(1, 1, 1), True, "acknowledged while it waited"),
    ("medium_refund", Left(1, 2, 1), False, "acknowledged twice"),
    ("taken_over", Left(1, 0, 1), True, "refunded once after the way back"),
    ("taken_over", Left(1, 0, 2), False, "refunded before and after"),
    ("taken_over", Left(1, 0, 0), False, "answered and not refunded"),
    ("rejected_refund", Left(0, 1, 0), True, "told that a person will answer"),
    ("rejected_refund", Left(0, 0, 0), False, "waits in silence"),
    ("nobody_answers", Left(0, 1, 1), False, "refunded though nobody countersigned"),
    ("merged", Left(0, 0, 0), True, "nothing at all"),
    ("merged", Left(0, 1, 0), False, "even an acknowledgement is too much"),
    ("teammate_was_faster", Left(1, 0, 0), False, "answered besides the teammate"),
    ("writes_again", Left(2, 0, 0), True, "thanks get no answer"),
    ("writes_again", Left(3, 0, 0), False, "thanks were answered"),
]


@pytest.mark.parametrize(("name", "gone", "expected", "note"), ROWS, ids=str)
def test_what_left_is_compared(*, name: str, gone: Left, expected: bool, note: str) -> None:
    ticket: DemoTicket = TICKETS[name]

    assert is_expected_to_leave(gone, ticket) is expected, note
