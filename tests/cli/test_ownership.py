"""What a teammate reads after their word about a ticket."""

import pytest

from adapters.postgres.principals import Principal
from cli.ownership import lines
from domain.action import ActionType
from domain.audit import PerformedEffect
from domain.effect import EffectState
from domain.ownership import OwnershipAnswer, RunWord
from domain.ticket import Owner, TicketRef
from tests.office import TICKET

NORA = Principal("principal_" + 24 * "1", "U0NORA", ("approvers",), ())


def an_answer(ticket: TicketRef = TICKET, **changes: object) -> OwnershipAnswer:
    usual = {
        "ticket": ticket,
        "owner": Owner.TEAMMATE,
        "owner_epoch": 3,
        "changed": True,
        "run": RunWord.TOLD,
    }
    return OwnershipAnswer.model_validate(usual | changes)


def an_effect(type_: ActionType, state: EffectState) -> PerformedEffect:
    return PerformedEffect(key="eff_" + 40 * "1", type=type_, state=state)


def test_owner_effects_run_and_next_command_are_named() -> None:
    left = an_effect(ActionType.REPLY, EffectState.CONFIRMED)
    lost = an_effect(ActionType.REFUND, EffectState.UNKNOWN)

    said = lines("books/7", NORA, an_answer(left=(left,), not_known=(lost,)))

    assert said[:4] == [
        "[bold]books/7[/bold] is now owned by U0NORA (owner epoch 3)",
        "  left before    reply eff_11111111 (confirmed)",
        "  not known      refund eff_11111111 (unknown): look before you act",
        "Its run knows.",
    ]
    assert said[4].endswith("ticket trace books/7")


def test_second_word_is_told_apart() -> None:
    assert "was already owned by U0NORA" in lines("books/7", NORA, an_answer(changed=False))[0]


@pytest.mark.parametrize(
    ("owner", "words"), [(Owner.TEAMMATE, "lets nothing out"), (Owner.AUTOMATION, "could not be woken")]
)
def test_run_that_could_not_be_told_is_owned_up_to(owner: Owner, words: str) -> None:
    said = lines("books/7", NORA, an_answer(owner=owner, run=RunWord.LATER))

    assert words in said[1]
