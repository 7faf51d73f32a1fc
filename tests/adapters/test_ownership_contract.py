"""What every `Ownership` promises: the fake and the database say the same."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from uuid import uuid4

import pytest

from adapters.in_memory import InMemoryOwnership, InMemoryTickets
from adapters.in_memory.ownership import Person
from adapters.keys import EnvelopeKeys
from adapters.postgres.ownership import PostgresOwnership
from adapters.postgres.tenant_registry import PrincipalEntry, TenantRegistry
from domain.action import ActionType
from domain.audit import PerformedEffect
from domain.effect import EffectState
from domain.handoff import HandoffReason
from domain.model import EffectKey, RecordId
from domain.ownership import OwnershipRefusal, OwnershipRefused
from domain.ports import Ownership, Tickets
from domain.ticket import ClosingRecord, Outcome, Owner, Settlement, Stage, TicketRef
from tests.adapters.postgres.story import Story
from tests.conftest import Databases

PEOPLE = {
    "nora": Person(groups=("approvers",)),
    "omar": Person(roles=("teammate",)),
    "mara": Person(roles=("admin",)),
    "auditor": Person(roles=("audit",)),
}
STRANGER = "principal_" + 24 * "0"
TAKEN = (Owner.TEAMMATE, True)


@dataclass
class Desk:
    """One ticket and the people who may want it."""

    ownership: Ownership
    tickets: Tickets
    ticket: TicketRef
    people: dict[str, RecordId]
    let_out: Callable[[EffectState], Awaitable[EffectKey]]

    async def opened(self) -> None:
        await self.tickets.open(self.ticket, "1001", "generic")

    async def refusal(self, word: str, person: str) -> OwnershipRefusal:
        with pytest.raises(OwnershipRefused) as refused:
            await getattr(self.ownership, word)(self.ticket, self.people.get(person, STRANGER))
        return refused.value.why


@pytest.fixture(params=["in_memory", "postgres"])
def desk_of(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
async def desk(
    desk_of: str, databases: Databases, registry: TenantRegistry, keys: EnvelopeKeys, ticket: TicketRef
) -> Desk:
    if desk_of == "in_memory":
        return in_memory_desk(ticket)
    return await postgres_desk(Story(databases, registry, keys, ticket))


def in_memory_desk(ticket: TicketRef) -> Desk:
    people = {name: "principal_" + uuid4().hex[:24] for name in PEOPLE}
    tickets = InMemoryTickets()
    ownership = InMemoryOwnership(tickets, {people[name]: person for name, person in PEOPLE.items()})

    async def let_out(state: EffectState) -> EffectKey:
        key = "eff_" + uuid4().hex + uuid4().hex[:8]
        effect = PerformedEffect(key=key, type=ActionType.REFUND, state=state)
        ownership.effects.setdefault(ticket, {})[key] = effect
        return key

    return Desk(ownership, tickets, ticket, people, let_out)


async def postgres_desk(story: Story) -> Desk:
    people = {
        name: await story.registry.put_principal(
            story.ticket.tenant_id,
            PrincipalEntry(
                name=name,
                slack_team_id="T1",
                slack_user_id=f"U{uuid4().hex[:8]}",
                groups=person.groups,
                roles=person.roles,
            ),
        )
        for name, person in PEOPLE.items()
    }
    paths = {EffectState.CLAIMED: (), EffectState.SENT: (EffectState.SENT,)}

    async def let_out(state: EffectState) -> EffectKey:
        intent = await story.intended(await story.decided(), target=uuid4().hex)
        if state is not EffectState.INTENDED:
            await story.claim(intent)
            for step in paths.get(state, (EffectState.SENT, state)):
                await story.ledger.record(intent, step)
        return intent.key

    return Desk(PostgresOwnership(story.databases.app), story.tickets, story.ticket, people, let_out)


async def test_take_over_makes_the_ticket_the_teammates(desk: Desk) -> None:
    await desk.opened()

    change = await desk.ownership.take_over(desk.ticket, desk.people["nora"])

    assert (change.owner, change.changed) == TAKEN
    assert (change.held_by, change.owner_epoch) == (desk.people["nora"], 1)
    assert await desk.tickets.owner(desk.ticket) == (Owner.TEAMMATE, 1)


async def test_ticket_that_was_never_worked_on_can_be_taken_over(desk: Desk) -> None:
    change = await desk.ownership.take_over(desk.ticket, desk.people["nora"])

    assert (change.owner, change.owner_epoch) == (Owner.TEAMMATE, 1)
    assert (await desk.tickets.open(desk.ticket, "1001", "generic")).owner is Owner.TEAMMATE


@pytest.mark.parametrize("word", ["take_over", "stop"])
async def test_same_word_of_the_same_teammate_changes_nothing(desk: Desk, word: str) -> None:
    await desk.opened()
    say = getattr(desk.ownership, word)
    first = await say(desk.ticket, desk.people["nora"])

    again = await say(desk.ticket, desk.people["nora"])

    assert (first.changed, again.changed) == (True, False)
    assert first.owner_epoch == again.owner_epoch == 1


async def test_take_over_of_anothers_ticket_moves_it(desk: Desk) -> None:
    await desk.ownership.take_over(desk.ticket, desk.people["nora"])

    change = await desk.ownership.take_over(desk.ticket, desk.people["omar"])

    assert (change.owner, change.changed) == TAKEN
    assert (change.held_by, change.owner_epoch) == (desk.people["omar"], 2)


async def test_ticket_that_automation_handed_over_can_be_taken_by_somebody(desk: Desk) -> None:
    await desk.opened()
    await desk.tickets.hand_over(desk.ticket, HandoffReason.LOW_CONFIDENCE)

    change = await desk.ownership.take_over(desk.ticket, desk.people["nora"])

    assert (change.held_by, change.owner_epoch) == (desk.people["nora"], 2)


@pytest.mark.parametrize("person", ["nora", "mara"])
async def test_holder_and_admin_hand_back(desk: Desk, person: str) -> None:
    await desk.ownership.take_over(desk.ticket, desk.people["nora"])

    change = await desk.ownership.hand_back(desk.ticket, desk.people[person])

    assert (change.owner, change.held_by, change.owner_epoch) == (Owner.AUTOMATION, None, 2)
    assert await desk.tickets.owner(desk.ticket) == (Owner.AUTOMATION, 2)


async def test_hand_back_can_be_said_again_until_automation_has_done_something(desk: Desk) -> None:
    await desk.ownership.take_over(desk.ticket, desk.people["nora"])
    await desk.ownership.hand_back(desk.ticket, desk.people["nora"])

    again = await desk.ownership.hand_back(desk.ticket, desk.people["nora"])
    record = ClosingRecord(turns=1, owner_epoch=2)
    answered = Settlement(record=record, stage=Stage.WAITING_FOR_CUSTOMER, reason="answered")
    await desk.tickets.settle(desk.ticket, answered)

    assert (again.owner, again.owner_epoch, again.changed) == (Owner.AUTOMATION, 2, False)
    assert await desk.refusal("hand_back", "nora") is OwnershipRefusal.NOT_TAKEN_OVER


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (Outcome.CONFIRMED, Outcome.CONFIRMED),
        (Outcome.HANDED_OVER, None),
        (Outcome.ABANDONED, None),
        (None, None),
    ],
)
async def test_handed_back_ticket_keeps_an_outcome_that_says_more_than_who_had_it(
    desk: Desk, before: Outcome | None, after: Outcome | None
) -> None:
    await desk.opened()
    record = ClosingRecord(turns=1, outcome=before)
    await desk.tickets.settle(desk.ticket, Settlement(record=record, stage=Stage.SETTLED, reason="answered"))
    await desk.ownership.take_over(desk.ticket, desk.people["nora"])
    await desk.ownership.hand_back(desk.ticket, desk.people["nora"])

    assert (await desk.tickets.open(desk.ticket, "1001", "generic")).outcome is after


async def test_what_nobody_holds_any_teammate_hands_back(desk: Desk) -> None:
    await desk.opened()
    await desk.tickets.hand_over(desk.ticket, HandoffReason.LOW_CONFIDENCE)

    change = await desk.ownership.hand_back(desk.ticket, desk.people["omar"])

    assert (change.owner, change.owner_epoch) == (Owner.AUTOMATION, 2)


async def test_stopped_ticket_is_the_teammates_and_abandoned(desk: Desk) -> None:
    await desk.opened()

    change = await desk.ownership.stop(desk.ticket, desk.people["nora"])

    assert (change.owner, change.changed) == TAKEN
    assert (change.held_by, change.owner_epoch) == (desk.people["nora"], 1)
    assert (await desk.tickets.open(desk.ticket, "1001", "generic")).outcome is Outcome.ABANDONED


@pytest.mark.parametrize("word", ["take_over", "hand_back"])
async def test_stop_is_taken_back_by_the_next_word(desk: Desk, word: str) -> None:
    await desk.opened()
    await desk.ownership.stop(desk.ticket, desk.people["nora"])

    change = await getattr(desk.ownership, word)(desk.ticket, desk.people["nora"])

    assert change.owner_epoch == 2
    assert (await desk.tickets.open(desk.ticket, "1001", "generic")).outcome is None


@pytest.mark.parametrize("word", ["take_over", "hand_back", "stop"])
async def test_who_may_not_changes_nothing(desk: Desk, word: str) -> None:
    await desk.ownership.take_over(desk.ticket, desk.people["nora"])

    assert await desk.refusal(word, "stranger") is OwnershipRefusal.UNKNOWN_PRINCIPAL
    assert await desk.refusal(word, "auditor") is OwnershipRefusal.NOT_ENTITLED
    assert await desk.tickets.owner(desk.ticket) == (Owner.TEAMMATE, 1)


async def test_teammate_does_not_hand_back_what_another_holds(desk: Desk) -> None:
    await desk.ownership.take_over(desk.ticket, desk.people["nora"])

    assert await desk.refusal("hand_back", "omar") is OwnershipRefusal.HELD_BY_ANOTHER


async def test_automations_ticket_cannot_be_handed_back(desk: Desk) -> None:
    await desk.opened()

    assert await desk.refusal("hand_back", "nora") is OwnershipRefusal.NOT_TAKEN_OVER


@pytest.mark.parametrize("word", ["hand_back", "stop"])
async def test_ticket_that_was_never_worked_on_is_not_known(desk: Desk, word: str) -> None:
    assert await desk.refusal(word, "nora") is OwnershipRefusal.UNKNOWN_TICKET


@pytest.mark.parametrize("word", ["take_over", "stop"])
async def test_effects_without_a_known_end_are_named(desk: Desk, word: str) -> None:
    await desk.opened()
    unended = [EffectState.CLAIMED, EffectState.SENT, EffectState.UNKNOWN]
    keys = {await desk.let_out(state): state for state in unended}
    ended = [await desk.let_out(state) for state in (EffectState.INTENDED, EffectState.CONFIRMED)]

    change = await getattr(desk.ownership, word)(desk.ticket, desk.people["nora"])

    assert {effect.key: effect.state for effect in change.effects} == keys
    assert {effect.type for effect in change.effects} == {ActionType.REFUND}
    assert not set(change.keys) & set(ended)


async def test_effects_are_followed_by_their_keys(desk: Desk) -> None:
    await desk.opened()
    wanted = await desk.let_out(EffectState.CONFIRMED)
    await desk.let_out(EffectState.CONFIRMED)

    [effect] = await desk.ownership.standing(desk.ticket, [wanted])

    assert (effect.key, effect.state) == (wanted, EffectState.CONFIRMED)
    assert not await desk.ownership.standing(desk.ticket, [])
