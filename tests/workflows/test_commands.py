"""People's commands: decided in the database, told to the run if there is one, answered in any case."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from time import monotonic
from uuid import UUID, uuid4

import pytest
from temporalio.client import Client, WorkflowHandle

from adapters.embedded.home import temporary_home
from adapters.embedded.temporal import TemporalServer, start_temporal
from adapters.in_memory import InMemoryKeys, InMemoryOwnership, InMemoryTickets
from adapters.in_memory.ownership import Person
from adapters.temporal import connect, make_worker
from domain.action import ActionType
from domain.audit import PerformedEffect
from domain.effect import EffectState
from domain.errors import KeyStoreUnavailable
from domain.model import EffectKey, RecordId
from domain.ownership import OwnershipAnswer, OwnershipRefusal, OwnershipRefused, RunWord, Stop, TakeOver
from domain.ports import DataKey, Ownership
from domain.ticket import Owner, TicketRef
from tests.office import TENANT
from tests.workflows.stub_commanded_ticket import CommandedTicket, OlderTicket
from workflows.commands import hand_back, stop, take_over, tell
from workflows.ids import TICKET_QUEUE, start_or_signal, ticket_workflow_id

NORA: RecordId = "principal_" + 24 * "1"
REFUND, REPLY = "eff_" + 40 * "1", "eff_" + 40 * "2"
SOON = timedelta(milliseconds=400)


@pytest.fixture(scope="module")
async def server() -> AsyncIterator[TemporalServer]:
    with temporary_home() as home:
        server = await asyncio.to_thread(start_temporal, home, None, None)
        yield server
        await asyncio.to_thread(server.stop)


@pytest.fixture(scope="module")
async def client(server: TemporalServer) -> Client:
    return await connect(InMemoryKeys(), address=server.address, namespace=server.namespace)


@pytest.fixture
def ticket() -> TicketRef:
    return TicketRef(tenant_id=TENANT, route=uuid4().hex)


@pytest.fixture
async def ownership(ticket: TicketRef) -> InMemoryOwnership:
    tickets = InMemoryTickets()
    await tickets.open(ticket, "1001", "generic")
    return InMemoryOwnership(tickets, {NORA: Person(groups=("approvers",))})


async def started(
    client: Client, ticket: TicketRef, queue: str = TICKET_QUEUE
) -> WorkflowHandle[CommandedTicket, list[int]]:
    return await client.start_workflow(
        CommandedTicket.run, ticket, id=ticket_workflow_id(ticket), task_queue=queue
    )


class SlowEffects(InMemoryOwnership):
    """Ends its effects while somebody looks."""

    def then(self, ticket: TicketRef, *states: tuple[EffectKey, EffectState]) -> None:
        self._next = {key: effect_of(key, state) for key, state in states}
        self.looks = 0
        self.effects[ticket] = {key: effect_of(key, EffectState.CLAIMED) for key, _ in states}

    async def standing(self, ticket: TicketRef, keys: Sequence[EffectKey]) -> Sequence[PerformedEffect]:
        self.looks += 1
        if self.looks == 2:
            self.effects[ticket] = self._next
        return await super().standing(ticket, keys)


def effect_of(key: EffectKey, state: EffectState) -> PerformedEffect:
    type_ = ActionType.REFUND if key == REFUND else ActionType.REPLY
    return PerformedEffect(key=key, type=type_, state=state)


# --- the run is told ----------------------------------------------------------------------------------


async def test_running_ticket_is_told_once_however_often_it_is_said(
    client: Client, ownership: Ownership, ticket: TicketRef
) -> None:
    async with make_worker(client, TICKET_QUEUE, workflows=[CommandedTicket]):
        run = await started(client, ticket)

        answers = [await take_over(client, ownership, ticket, NORA) for _ in range(2)]

        orders = await run.query(CommandedTicket.orders)
        await run.terminate()
    assert [(answer.changed, answer.run) for answer in answers] == [
        (True, RunWord.TOLD),
        (False, RunWord.TOLD),
    ]
    assert {(answer.owner, answer.held_by, answer.owner_epoch) for answer in answers} == {
        (Owner.TEAMMATE, NORA, 1)
    }
    assert orders == [TakeOver(ticket=ticket, principal=NORA, owner_epoch=1)]


async def test_running_ticket_is_stopped(client: Client, ownership: Ownership, ticket: TicketRef) -> None:
    async with make_worker(client, TICKET_QUEUE, workflows=[CommandedTicket]):
        run = await started(client, ticket)

        answer = await stop(client, ownership, ticket, NORA)

        assert await run.result() == [1]
    assert (answer.run, answer.owner) == (RunWord.TOLD, Owner.TEAMMATE)


async def test_hand_back_starts_a_run(client: Client, ownership: Ownership, ticket: TicketRef) -> None:
    await take_over(client, ownership, ticket, NORA)

    answer = await hand_back(client, ownership, ticket, NORA)

    run = client.get_workflow_handle_for(CommandedTicket.run, ticket_workflow_id(ticket))
    async with make_worker(client, TICKET_QUEUE, workflows=[CommandedTicket]):
        assert await run.result() == []
    assert (answer.run, answer.owner, answer.owner_epoch) == (RunWord.TOLD, Owner.AUTOMATION, 2)


async def test_hand_back_wakes_the_run_that_is_there(
    client: Client, ownership: Ownership, ticket: TicketRef
) -> None:
    async with make_worker(client, TICKET_QUEUE, workflows=[CommandedTicket]):
        run = await started(client, ticket)
        await take_over(client, ownership, ticket, NORA)

        await hand_back(client, ownership, ticket, NORA)

        assert await run.result() == [1]


async def test_command_connects_when_the_database_has_decided(
    server: TemporalServer, ownership: Ownership, ticket: TicketRef
) -> None:
    lazy = await connect(InMemoryKeys(), address=server.address, namespace=server.namespace, lazy=True)
    await take_over(lazy, ownership, ticket, NORA)

    assert (await hand_back(lazy, ownership, ticket, NORA)).run is RunWord.TOLD

    await lazy.get_workflow_handle(ticket_workflow_id(ticket)).terminate()


async def test_what_the_doors_decided_is_told_by_somebody_else(
    client: Client, ownership: Ownership, ticket: TicketRef
) -> None:
    at_the_door = await take_over(None, ownership, ticket, NORA)
    command = TakeOver(ticket=ticket, principal=NORA, owner_epoch=at_the_door.owner_epoch)

    async with make_worker(client, TICKET_QUEUE, workflows=[CommandedTicket]):
        run = await started(client, ticket)
        words = [await tell(client, command) for _ in range(2)]
        orders = await run.query(CommandedTicket.orders)
        await run.terminate()

    assert at_the_door.run is RunWord.LATER
    assert words == [RunWord.TOLD] * 2
    assert orders == [command]


# --- nobody is there to be told -------------------------------------------------------------------------


async def test_ticket_without_a_run_is_taken_over(
    client: Client, ownership: Ownership, ticket: TicketRef
) -> None:
    answer = await take_over(client, ownership, ticket, NORA)

    assert (answer.owner, answer.run) == (Owner.TEAMMATE, RunWord.NO_RUN)


async def test_ticket_whose_run_has_ended_is_taken_over(
    client: Client, ownership: Ownership, ticket: TicketRef
) -> None:
    async with make_worker(client, TICKET_QUEUE, workflows=[CommandedTicket]):
        await (await start_or_signal(client, ticket, uuid4())).result()

    answer = await take_over(client, ownership, ticket, NORA)

    assert (answer.owner, answer.run) == (Owner.TEAMMATE, RunWord.NO_RUN)


@pytest.mark.parametrize("command", [take_over, stop])
async def test_ticket_is_taken_though_no_worker_answers(
    client: Client, ownership: Ownership, ticket: TicketRef, command: object
) -> None:
    run = await started(client, ticket, queue="nobody-polls-here")

    answer = await said(command, client, ownership, ticket)

    assert (answer.owner, answer.run) == (Owner.TEAMMATE, RunWord.LATER)
    await run.terminate()


@pytest.mark.parametrize("command", [take_over, stop])
async def test_ticket_is_taken_though_temporal_is_away(
    ownership: Ownership, ticket: TicketRef, command: object
) -> None:
    nobody = await connect(InMemoryKeys(), address="127.0.0.1:1", namespace="countersign", lazy=True)

    answer = await said(command, nobody, ownership, ticket)

    assert (answer.owner, answer.run) == (Owner.TEAMMATE, RunWord.LATER)


async def test_ticket_is_taken_though_the_key_store_is_away(
    server: TemporalServer, ownership: Ownership, ticket: TicketRef
) -> None:
    locked_out = await connect(KeysAway(), address=server.address, namespace=server.namespace)

    answer = await take_over(locked_out, ownership, ticket, NORA, SOON)

    assert (answer.owner, answer.run) == (Owner.TEAMMATE, RunWord.LATER)


async def test_run_of_an_older_release_learns_it_at_its_next_step(
    client: Client, ownership: Ownership, ticket: TicketRef
) -> None:
    async with make_worker(client, TICKET_QUEUE, workflows=[OlderTicket]):
        run = await started(client, ticket)

        answer = await take_over(client, ownership, ticket, NORA)

        await run.terminate()
    assert (answer.owner, answer.run) == (Owner.TEAMMATE, RunWord.LATER)


class KeysAway(InMemoryKeys):
    """Does not answer."""

    async def tenant_key(self, tenant_id: UUID) -> DataKey:
        del tenant_id
        raise KeyStoreUnavailable


async def said(command: object, client: Client, ownership: Ownership, ticket: TicketRef) -> OwnershipAnswer:
    assert callable(command)
    answer = await command(client, ownership, ticket, NORA, SOON)
    assert isinstance(answer, OwnershipAnswer)
    return answer


# --- what had left ---------------------------------------------------------------------------------------


async def test_answer_waits_for_what_is_claimed_and_names_how_it_ended(ticket: TicketRef) -> None:
    desk = SlowEffects(InMemoryTickets(), {NORA: Person(groups=("approvers",))})
    desk.then(ticket, (REFUND, EffectState.SENT), (REPLY, EffectState.UNKNOWN))

    answer = await take_over(None, desk, ticket, NORA)

    assert desk.looks == 2
    assert answer.left == (effect_of(REFUND, EffectState.SENT),)
    assert answer.not_known == (effect_of(REPLY, EffectState.UNKNOWN),)


async def test_what_did_not_leave_is_not_named(ticket: TicketRef) -> None:
    desk = SlowEffects(InMemoryTickets(), {NORA: Person(groups=("approvers",))})
    desk.then(ticket, (REFUND, EffectState.FAILED), (REPLY, EffectState.WITHDRAWN))

    answer = await take_over(None, desk, ticket, NORA)

    assert (answer.left, answer.not_known) == ((), ())


async def test_what_is_still_claimed_at_the_end_of_patience_is_not_known(
    ownership: InMemoryOwnership, ticket: TicketRef
) -> None:
    claimed = effect_of(REFUND, EffectState.CLAIMED)
    ownership.effects[ticket] = {REFUND: claimed}
    begun = monotonic()

    answer = await take_over(None, ownership, ticket, NORA, SOON)

    assert answer.not_known == (claimed,)
    assert monotonic() - begun >= SOON.total_seconds()


async def test_nobody_waits_for_what_nobody_claimed(ticket: TicketRef) -> None:
    desk = SlowEffects(InMemoryTickets(), {NORA: Person(groups=("approvers",))})
    desk.then(ticket)
    desk.effects[ticket] = {REFUND: effect_of(REFUND, EffectState.SENT)}

    answer = await take_over(None, desk, ticket, NORA)

    assert desk.looks == 0
    assert answer.left == (effect_of(REFUND, EffectState.SENT),)


# --- refusals --------------------------------------------------------------------------------------------


async def test_refused_word_reaches_no_run(client: Client, ownership: Ownership, ticket: TicketRef) -> None:
    async with make_worker(client, TICKET_QUEUE, workflows=[CommandedTicket]):
        run = await started(client, ticket)

        with pytest.raises(OwnershipRefused) as refused:
            await stop(client, ownership, ticket, "principal_" + 24 * "9")

        assert await run.query(CommandedTicket.orders) == []
        await run.terminate()
    assert refused.value.why is OwnershipRefusal.UNKNOWN_PRINCIPAL


def test_words_of_different_epochs_are_different_updates(ticket: TicketRef) -> None:
    first = TakeOver(ticket=ticket, principal=NORA, owner_epoch=1)
    later = Stop(ticket=ticket, principal=NORA, owner_epoch=2)

    assert first.update_id != later.update_id
    assert first.update_id == TakeOver(ticket=ticket, principal=NORA, owner_epoch=1).update_id
