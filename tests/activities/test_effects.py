"""Crash anywhere between intent and confirmation: nothing is lost, nothing happens twice."""

from datetime import timedelta

import pytest
from temporalio.exceptions import ApplicationError

from activities.effects import PATIENCE, PerformInput
from activities.intake import EXTERNAL_TICKET_ID, SOURCE
from domain.action import ActionType, PrivateNote, ProposedAction, Reply, SlackUpdate
from domain.effect import Clearance, EffectIntent, EffectState, Receipt, Refusal, SendOrder
from domain.errors import DeliveryRefused, DeliveryUncertain, EffectConflict, ProviderUnavailable
from domain.ports import ArtifactKind
from tests.office import TICKET, Office
from tests.planned import planned

NEVER = "eff_" + "0" * 40
LONG_AGO = timedelta(seconds=31)


class Killed(BaseException):
    """The process dies here."""


async def intent_for(office: Office, text: str = "Hello [[PERSON_1_k7]]", ordinal: int = 0) -> EffectIntent:
    office.sender._helpdesk = None  # no echo: there is no ticket in the helpdesk
    await office.vault.keep(TICKET, {"[[PERSON_1_k7]]": "Ada", EXTERNAL_TICKET_ID: "1001", SOURCE: "generic"})
    reference = await office.artifacts.put(TICKET, ArtifactKind.DRAFT, text.encode())
    proposed = ProposedAction(ordinal=ordinal, action=Reply(text=reference))
    return planned(office, proposed)


@pytest.fixture(params=[True, False], ids=["idempotent", "read-back"])
def office(request: pytest.FixtureRequest) -> Office:
    office = Office()
    office.sender.idempotent = request.param
    return office


def later(office: Office, by: timedelta) -> None:
    office.now += by
    office.ledger.now += by


async def test_reply_is_sent_with_its_values(office: Office) -> None:
    result = await office.effects().perform(await intent_for(office))

    assert result.state is EffectState.CONFIRMED
    assert office.replies() == ["Hello Ada"]


async def test_repeated_step_sends_nothing_again(office: Office) -> None:
    intent = await intent_for(office)

    for _ in range(3):
        assert (await office.effects().perform(intent)).state is EffectState.CONFIRMED

    assert len(office.replies()) == 1


@pytest.mark.parametrize(
    "point", ["intend", "claim", "send_before", "send_after", "record_sent", "record_confirmed"]
)
async def test_crash_at_each_point_loses_and_doubles_nothing(office: Office, point: str) -> None:
    intent = await intent_for(office)
    crash(office, point)
    with pytest.raises(Killed):
        await office.effects().perform(intent)
    later(office, LONG_AGO)

    result = await office.effects().perform(intent)

    assert result.state is EffectState.CONFIRMED
    assert len(office.replies()) == 1


def crash(office: Office, point: str) -> None:
    """Kills once, after the named write or around the sending."""
    if point.startswith("send"):
        trouble = office.sender.before if point == "send_before" else office.sender.after
        trouble.append(Killed())
        return
    method, state = (point.split("_", maxsplit=1)[0], point.rsplit("_", maxsplit=1)[-1])
    original = getattr(office.ledger, method)

    async def dies_after(*args: object) -> object:
        row = await original(*args)
        if method != "record" or row.state == state:
            setattr(office.ledger, method, original)
            raise Killed
        return row

    setattr(office.ledger, method, dies_after)


@pytest.mark.parametrize("trouble", ["before", "after"])
async def test_lost_answer_is_found_out_before_anything_is_sent_again(office: Office, trouble: str) -> None:
    intent = await intent_for(office)
    getattr(office.sender, trouble).append(DeliveryUncertain())
    with pytest.raises(ApplicationError) as first:
        await office.effects().perform(intent)
    later(office, first.value.next_retry_delay or timedelta())

    result = await office.effects().perform(intent)

    assert result.state is EffectState.CONFIRMED
    assert len(office.replies()) == 1


async def test_without_an_idempotency_key_nothing_is_repeated_before_it_has_settled() -> None:
    office = Office()
    office.sender.idempotent = False
    intent = await intent_for(office)
    office.sender.before.append(Killed())
    with pytest.raises(Killed):
        await office.effects().perform(intent)
    later(office, timedelta(seconds=29))

    with pytest.raises(ApplicationError) as waiting:
        await office.effects().perform(intent)

    assert waiting.value.next_retry_delay == timedelta(seconds=1)
    assert office.sender.seen == []


async def test_what_changes_while_it_is_read_back_stops_the_second_sending() -> None:
    office = Office()
    office.sender.idempotent = False
    intent = await intent_for(office)
    office.sender.before.append(Killed())
    with pytest.raises(Killed):
        await office.effects().perform(intent)
    later(office, LONG_AGO)
    look = office.sender.find

    async def frozen_meanwhile(order: SendOrder) -> Receipt | None:
        found = await look(order)
        office.ledger.frozen = True
        return found

    office.sender.find = frozen_meanwhile  # type: ignore[method-assign]

    result = await office.effects().perform(intent)

    assert (result.state, result.refusal) == (EffectState.WITHDRAWN, Refusal.FROZEN)
    assert office.sender.seen == []


async def test_crash_in_the_second_sending_without_a_key_is_a_persons_question() -> None:
    office = Office()
    office.sender.idempotent = False
    intent = await intent_for(office)
    for _ in range(2):
        office.sender.before.append(Killed())
        with pytest.raises(Killed):
            await office.effects().perform(intent)
        later(office, LONG_AGO)

    assert (await office.effects().perform(intent)).state is EffectState.UNKNOWN
    assert office.sender.seen == []


@pytest.mark.parametrize("error", [DeliveryRefused(422), ProviderUnavailable(), DeliveryUncertain()])
async def test_trouble_in_the_second_sending_without_a_key_stays_unknown(error: Exception) -> None:
    office = Office()
    office.sender.idempotent = False
    intent = await intent_for(office)
    office.sender.before += [Killed(), error]
    with pytest.raises(Killed):
        await office.effects().perform(intent)
    later(office, LONG_AGO)

    assert (await office.effects().perform(intent)).state is EffectState.UNKNOWN


async def test_unknown_effect_that_turns_up_is_confirmed() -> None:
    office = Office()
    office.sender.idempotent = False
    intent = await intent_for(office)
    office.sender.before.append(Killed())
    with pytest.raises(Killed):
        await office.effects().perform(intent)
    later(office, LONG_AGO)
    office.sender.after.append(DeliveryUncertain())
    assert (await office.effects().perform(intent)).state is EffectState.UNKNOWN
    office.sender.finding.append(ProviderUnavailable())
    assert (await office.effects().perform(intent)).state is EffectState.UNKNOWN

    assert (await office.effects().perform(intent)).state is EffectState.CONFIRMED


async def test_provider_says_when_to_come_back(office: Office) -> None:
    intent = await intent_for(office)
    office.sender.before.append(ProviderUnavailable(retry_after_s=77))

    with pytest.raises(ApplicationError) as told:
        await office.effects().perform(intent)

    assert told.value.next_retry_delay == timedelta(seconds=77)
    assert told.value.type == "ProviderUnavailable"


async def test_provider_that_asks_for_hours_is_asked_again_when_patience_ends(office: Office) -> None:
    """A step that waits longer than its own time-out would end without a word in the ledger."""
    intent = await intent_for(office)
    office.sender.before.append(ProviderUnavailable(retry_after_s=1e12))
    with pytest.raises(ApplicationError) as told:
        await office.effects().perform(intent)
    assert told.value.next_retry_delay == PATIENCE
    later(office, PATIENCE + timedelta(seconds=1))

    assert (await office.effects().perform(intent)).state is EffectState.FAILED


async def test_refusal_of_the_provider_is_final(office: Office) -> None:
    intent = await intent_for(office)
    office.sender.before.append(DeliveryRefused(422))

    assert (await office.effects().perform(intent)).state is EffectState.FAILED
    assert (await office.effects().perform(intent)).state is EffectState.FAILED
    assert office.sender.seen == []


@pytest.mark.parametrize(
    ("finding", "state"),
    [([], EffectState.FAILED), ([ProviderUnavailable()], EffectState.UNKNOWN)],
)
async def test_patience_ends(office: Office, finding: list[BaseException], state: EffectState) -> None:
    intent = await intent_for(office)
    office.sender.before.append(Killed())
    with pytest.raises(Killed):
        await office.effects().perform(intent)
    later(office, PATIENCE + LONG_AGO)
    office.sender.finding += finding

    assert (await office.effects().perform(intent)).state is state
    assert office.sender.seen == []


async def test_unreadable_provider_is_asked_again(office: Office) -> None:
    office.sender.idempotent = False
    intent = await intent_for(office)
    office.sender.before.append(Killed())
    with pytest.raises(Killed):
        await office.effects().perform(intent)
    later(office, LONG_AGO)
    office.sender.finding += [ProviderUnavailable(), DeliveryRefused(403)]

    with pytest.raises(ApplicationError):
        await office.effects().perform(intent)
    assert (await office.effects().perform(intent)).state is EffectState.UNKNOWN


async def test_claimed_effect_is_withdrawn_when_a_teammate_has_taken_over(office: Office) -> None:
    intent = await intent_for(office)
    office.sender.before.append(Killed())
    with pytest.raises(Killed):
        await office.effects().perform(intent)
    office.tickets.take_over(TICKET)
    later(office, LONG_AGO)

    result = await office.effects().perform(intent)

    assert (result.state, result.refusal) == (EffectState.WITHDRAWN, Refusal.OWNER_CHANGED)
    assert office.sender.seen == []


async def test_repeated_request_has_its_time_before_the_effect_counts_as_withdrawn() -> None:
    """A teammate takes over while the second request of a killed worker is still on its way."""
    office = Office()
    intent = await intent_for(office)
    for wait in (LONG_AGO, timedelta(seconds=1)):
        office.sender.before.append(Killed())
        with pytest.raises(Killed):
            await office.effects().perform(intent)
        later(office, wait)
    office.tickets.take_over(TICKET)

    with pytest.raises(ApplicationError) as waiting:
        await office.effects().perform(intent)
    assert waiting.value.next_retry_delay == timedelta(seconds=29)
    later(office, LONG_AGO)

    assert (await office.effects().perform(intent)).state is EffectState.WITHDRAWN


async def test_claimed_effect_that_did_leave_is_confirmed_even_after_a_take_over(office: Office) -> None:
    intent = await intent_for(office)
    office.sender.after.append(Killed())
    with pytest.raises(Killed):
        await office.effects().perform(intent)
    office.tickets.take_over(TICKET)
    later(office, LONG_AGO)

    assert (await office.effects().perform(intent)).state is EffectState.CONFIRMED


@pytest.mark.parametrize("text", ["Hello [[PERSON_2_k7]]", "Hello [[PERSON", "Hello [[COLOUR_1_k7]]"])
async def test_text_with_a_strange_placeholder_is_withdrawn_unclaimed(office: Office, text: str) -> None:
    result = await office.effects().perform(await intent_for(office, text))

    assert (result.state, result.refusal) == (EffectState.WITHDRAWN, Refusal.TEXT_UNSAFE)
    assert office.ledger.rows[result.key].refusal is Refusal.TEXT_UNSAFE
    assert office.sender.seen == []


async def test_claimed_text_whose_values_vanished_is_a_persons_question(office: Office) -> None:
    intent = await intent_for(office)
    office.sender.before.append(Killed())
    with pytest.raises(Killed):
        await office.effects().perform(intent)
    office.vault.entries.clear()

    assert (await office.effects().perform(intent)).state is EffectState.UNKNOWN


async def test_other_arguments_under_the_same_key_are_a_conflict(office: Office) -> None:
    await office.effects().perform(await intent_for(office))

    with pytest.raises(EffectConflict):
        await office.effects().perform(await intent_for(office, "Something else"))


async def test_attempt_that_finds_another_at_it_comes_back(office: Office) -> None:
    intent = await intent_for(office)
    row = await office.ledger.intend(intent)
    cleared = await office.gate().clear_again(intent)
    assert isinstance(cleared, Clearance)
    await office.ledger.claim(intent, cleared)

    with pytest.raises(ApplicationError):
        await office.effects()._first(intent, row)

    assert row.state is EffectState.INTENDED
    assert office.sender.seen == []


async def test_order_stops_at_what_is_not_confirmed(office: Office) -> None:
    first, second = await intent_for(office), await intent_for(office, "Then", ordinal=1)
    office.sender.before.append(DeliveryRefused(422))

    performed = await office.effects().perform_in_order(PerformInput(intents=(first, second)))

    assert [effect.state for effect in performed.effects] == [EffectState.FAILED]


async def test_each_goes_on_after_what_can_never_be_done(office: Office) -> None:
    first = await intent_for(office)
    await office.effects().perform(first)
    conflicting, other = await intent_for(office, "Other words"), await intent_for(office, "Then", ordinal=1)

    performed = await office.effects().perform_each(PerformInput(intents=(conflicting, other)))

    assert [effect.state for effect in performed.effects] == [EffectState.UNKNOWN, EffectState.CONFIRMED]


@pytest.mark.parametrize("trouble", [ProviderUnavailable(), LookupError("not connected")])
async def test_each_leaves_although_another_has_to_wait(office: Office, trouble: Exception) -> None:
    waiting, other = await intent_for(office), await intent_for(office, "Then", ordinal=1)
    office.sender.before.append(trouble)

    with pytest.raises((ApplicationError, LookupError)):
        await office.effects().perform_each(PerformInput(intents=(waiting, other)))

    assert office.replies() == ["Then"]


async def test_notes_show_words_instead_of_values(office: Office) -> None:
    intent = await intent_for(office)
    note = planned(office, ProposedAction(ordinal=2, action=PrivateNote(text=intent.proposed.action.text)))  # type: ignore[union-attr]

    await office.effects().perform(note)

    assert office.notes() == ["Hello ‹name›"]


async def test_change_of_a_card_that_was_never_posted_is_withdrawn(office: Office) -> None:
    card = await office.artifacts.put(TICKET, ArtifactKind.CARD, b"{}")
    intent = planned(office, ProposedAction(ordinal=0, action=SlackUpdate(card=card, posted_by=NEVER)))

    result = await office.effects().perform(intent)

    assert (result.state, result.refusal) == (EffectState.WITHDRAWN, Refusal.NEVER_POSTED)
    assert office.sender.sent(ActionType.SLACK_UPDATE) == []
