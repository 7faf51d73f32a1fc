"""Taking over on the real fence: what no claim gets past, who may do it, and what is left behind."""

import asyncio
from time import monotonic
from uuid import uuid4

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import DBAPIError

from adapters.postgres.ledger import CLAIM, claim_arguments
from adapters.postgres.ownership import PostgresOwnership
from adapters.postgres.tables import audit_events, principals, tickets
from adapters.postgres.tenant_registry import TenantRegistry
from domain.action import ActionType, ProposedAction, Reply
from domain.effect import EffectIntent, EffectState, Refusal
from domain.model import RecordId
from domain.ownership import OwnershipRefusal, OwnershipRefused
from domain.ticket import Owner, TicketRef
from tests.adapters.postgres.story import Story, cleared
from tests.conftest import Databases, a_tenant

ROUNDS = 6
CLAIMS = 24


@pytest.fixture
def ownership(databases: Databases) -> PostgresOwnership:
    return PostgresOwnership(databases.door)


@pytest.fixture
async def nora(story: Story) -> RecordId:
    await story.tickets.open(story.ticket, "1001", "generic")
    return await story.approver()


async def withdrawn(story: Story, intent: EffectIntent) -> bool:
    row = await story.claim(intent)
    return (row.state, row.refusal) == (EffectState.WITHDRAWN, Refusal.OWNER_CHANGED)


def a_reply() -> ProposedAction:
    return ProposedAction(ordinal=0, action=Reply(text="draft_" + "d" * 64))


# --- the fence ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("word", ["take_over", "stop"])
async def test_no_claim_begun_after_acceptance_succeeds(
    story: Story, ownership: PostgresOwnership, nora: RecordId, word: str
) -> None:
    accepted_at: list[float] = []
    claims: list[tuple[float, EffectState]] = []

    async def claim(intent: EffectIntent) -> None:
        begun = monotonic()
        claims.append((begun, (await story.claim(intent)).state))

    for round_ in range(ROUNDS):
        accepted_at.clear()
        claims.clear()
        intents = await intended(story, round_)
        early = [asyncio.create_task(claim(intent)) for intent in intents[: CLAIMS // 2]]
        await getattr(ownership, word)(story.ticket, nora)
        accepted_at.append(monotonic())
        await asyncio.gather(*early, *(claim(intent) for intent in intents[CLAIMS // 2 :]))
        after = [state for begun, state in claims if begun > accepted_at[0]]
        assert len(after) >= CLAIMS // 2
        assert EffectState.CLAIMED not in after
        await ownership.hand_back(story.ticket, nora)


async def intended(story: Story, round_: int) -> list[EffectIntent]:
    """Replies and refunds of the current epoch."""
    _, epoch = await story.tickets.owner(story.ticket)
    found = []
    for proposed in (a_reply(), None):
        decision = await story.decided(proposed=proposed, turn=round_)
        found += [
            await story.intended(
                decision, proposed, target=f"{proposed}/{round_}/{number}", owner_epoch=epoch
            )
            for number in range(CLAIMS // 2)
        ]
    return found[::2] + found[1::2]


async def test_claim_that_waited_for_a_take_over_is_withdrawn(
    story: Story, ownership: PostgresOwnership, nora: RecordId
) -> None:
    intent = await story.allowed()
    taking = text("select take_over_ticket(:tenant, :ticket, :route, :principal)")
    values = {**named(story.ticket), "route": story.ticket.route, "principal": nora}

    async with story.databases.door.transaction(story.ticket.tenant_id) as teammate:
        await teammate.execute(taking, values)
        waiting = asyncio.create_task(withdrawn(story, intent))
        done, _ = await asyncio.wait([waiting], timeout=0.2)
        assert not done

    assert await waiting


async def test_take_over_waits_for_running_claims_only(
    story: Story, ownership: PostgresOwnership, nora: RecordId
) -> None:
    running = await story.allowed()
    later = await story.intended(await story.decided(), target="later")

    async with story.databases.egress.transaction(story.ticket.tenant_id) as claiming:
        await claiming.execute(CLAIM, claim_arguments(running, await cleared(story.databases, running)))
        taking = asyncio.create_task(ownership.take_over(story.ticket, nora))
        await waits_for_a_lock(story)
        queued = asyncio.create_task(withdrawn(story, later))
        done, _ = await asyncio.wait([taking, queued], timeout=0.2)
        assert not done

    change = await taking
    assert [(effect.key, effect.state) for effect in change.effects] == [(running.key, EffectState.CLAIMED)]
    assert await queued


async def waits_for_a_lock(story: Story) -> None:
    """Until the take-over stands in the queue of the ticket's lock."""
    waiting = text("""
        select count(*) from pg_locks where locktype = 'advisory' and not granted and mode = 'ExclusiveLock'
          and (classid::bigint << 32) | objid::bigint = ticket_lock(:tenant, :ticket)
    """)
    async with asyncio.timeout(5), story.databases.app.transaction(story.ticket.tenant_id) as session:
        while not (await session.execute(waiting, named(story.ticket))).scalar_one():  # noqa: ASYNC110 - the server knows
            await asyncio.sleep(0)


async def test_take_over_is_not_starved_by_a_stream_of_claims(
    story: Story, ownership: PostgresOwnership, nora: RecordId
) -> None:
    intent = await story.allowed()
    taken = asyncio.Event()

    async def stream() -> None:
        while not taken.is_set():
            await story.claim(intent)

    async with asyncio.TaskGroup() as streams:
        for _ in range(4):
            streams.create_task(stream())
        async with asyncio.timeout(4):
            change = await ownership.take_over(story.ticket, nora)
        taken.set()

    assert change.changed


async def test_what_was_intended_before_stays_withdrawn_after_the_ticket_is_handed_back(
    story: Story, ownership: PostgresOwnership, nora: RecordId
) -> None:
    old = await story.allowed()
    await ownership.take_over(story.ticket, nora)
    change = await ownership.hand_back(story.ticket, nora)
    new = await story.intended(await story.decided(), target="new", owner_epoch=change.owner_epoch)

    assert change.owner_epoch == 2
    assert await withdrawn(story, old)
    assert (await story.claim(new)).state is EffectState.CLAIMED


async def test_take_overs_at_once_count_one_after_the_other(
    story: Story, ownership: PostgresOwnership, nora: RecordId
) -> None:
    people = [nora, *[await story.approver() for _ in range(3)]]

    changes = await asyncio.gather(*(ownership.take_over(story.ticket, person) for person in people))

    assert sorted(change.owner_epoch for change in changes) == [1, 2, 3, 4]
    last = max(changes, key=lambda change: change.owner_epoch)
    assert (await ownership.take_over(story.ticket, last.held_by or "")).changed is False


# --- who may ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("word", ["take_over", "hand_back", "stop"])
async def test_teammate_of_another_tenant_is_a_stranger(
    story: Story, registry: TenantRegistry, ownership: PostgresOwnership, nora: RecordId, word: str
) -> None:
    other = Story(
        story.databases,
        registry,
        story.keys,
        TicketRef(tenant_id=await a_tenant(registry), route=uuid4().hex),
    )
    foreigner = await other.approver()

    with pytest.raises(OwnershipRefused) as refused:
        await getattr(ownership, word)(story.ticket, foreigner)

    assert refused.value.why is OwnershipRefusal.UNKNOWN_PRINCIPAL
    assert await story.tickets.owner(story.ticket) == (Owner.AUTOMATION, 0)


async def test_teammate_who_left_may_not(
    story: Story, registry: TenantRegistry, ownership: PostgresOwnership, nora: RecordId
) -> None:
    await registry.retire_others(story.ticket.tenant_id, [])

    with pytest.raises(OwnershipRefused) as refused:
        await ownership.take_over(story.ticket, nora)

    assert refused.value.why is OwnershipRefusal.NOT_ENTITLED


async def test_teammate_who_is_leaving_takes_over_before_it_or_not_at_all(
    story: Story, ownership: PostgresOwnership, nora: RecordId
) -> None:
    async with story.databases.owner.transaction(story.ticket.tenant_id) as leaving:
        await leaving.execute(update(principals).values(groups=[], roles=[]))
        taking = asyncio.create_task(ownership.take_over(story.ticket, nora))
        done, _ = await asyncio.wait([taking], timeout=0.2)
        assert not done

    with pytest.raises(OwnershipRefused):
        await taking


@pytest.mark.parametrize("role", ["egress", "relay"])
async def test_other_roles_take_nothing_over(
    story: Story, databases: Databases, nora: RecordId, role: str
) -> None:
    with pytest.raises(DBAPIError, match="permission denied"):
        await PostgresOwnership(getattr(databases, role)).take_over(story.ticket, nora)


@pytest.mark.parametrize(
    "statement",
    [
        "select * from tickets",
        "select external_id from tickets",
        "update tickets set owner = 'teammate', owner_epoch = 9",
        "update tickets set held_by = null",
        "insert into tickets (tenant_id, id, route) values (gen_random_uuid(), gen_random_uuid(), 'x')",
        "select proposed from effects",
        "select groups from principals where roles = '{}' for share",
        "select change_owner(null, null, null, null, null, null, null)",
        "select enter_ownership(null, null, null)",
    ],
)
async def test_door_takes_over_by_the_functions_only(
    story: Story, ownership: PostgresOwnership, nora: RecordId, statement: str
) -> None:
    assert (await ownership.take_over(story.ticket, nora)).changed

    with pytest.raises(DBAPIError, match="permission denied"):
        async with story.databases.door.transaction(story.ticket.tenant_id) as session:
            await session.execute(text(statement))


async def test_holder_is_written_by_the_functions_only(
    story: Story, ownership: PostgresOwnership, nora: RecordId
) -> None:
    await ownership.take_over(story.ticket, nora)

    with pytest.raises(DBAPIError, match="permission denied"):
        async with story.databases.app.transaction(story.ticket.tenant_id) as session:
            await session.execute(update(tickets).values(held_by=None))


async def test_effects_of_another_tenant_are_not_shown(
    story: Story, registry: TenantRegistry, ownership: PostgresOwnership
) -> None:
    intent = await story.allowed()
    await story.claim(intent)
    other = TicketRef(tenant_id=await a_tenant(registry), route=story.ticket.route)
    stray = text("select effects_standing(:other, :ticket, :keys) as answer")
    values = {"other": other.tenant_id, "ticket": story.ticket.ticket_id, "keys": [intent.key]}

    [seen] = await ownership.standing(story.ticket, [intent.key])
    [row] = await story.databases.door.call(stray, values)

    assert (seen.key, seen.type) == (intent.key, ActionType.REFUND)
    assert row["answer"] == []


# --- what is left behind --------------------------------------------------------------------------------


async def test_each_change_leaves_one_audit_event(
    story: Story, ownership: PostgresOwnership, nora: RecordId
) -> None:
    omar = await story.approver()
    await ownership.take_over(story.ticket, nora)
    await ownership.take_over(story.ticket, nora)
    await ownership.take_over(story.ticket, omar)
    await ownership.hand_back(story.ticket, omar)
    await ownership.stop(story.ticket, nora)

    query = select(audit_events.c.kind, audit_events.c.content).where(audit_events.c.kind.like("ticket_%"))
    async with story.databases.owner.transaction(story.ticket.tenant_id) as session:
        events = (await session.execute(query.order_by(audit_events.c.at))).all()
    ticket = str(story.ticket.ticket_id)
    assert [(event.kind, event.content) for event in events] == [
        ("ticket_taken_over", told(ticket, nora, 1, None)),
        ("ticket_taken_over", told(ticket, omar, 2, nora)),
        ("ticket_handed_back", told(ticket, omar, 3, omar)),
        ("ticket_stopped", told(ticket, nora, 4, None)),
    ]


@pytest.mark.parametrize("role", ["door", "app"])
async def test_refused_word_leaves_who_was_refused_and_why(story: Story, nora: RecordId, role: str) -> None:
    ownership = PostgresOwnership(getattr(story.databases, role))
    omar = await story.approver()
    stranger = "principal_" + 24 * "0"
    await ownership.take_over(story.ticket, nora)

    for word, person in (("hand_back", omar), ("take_over", stranger), ("stop", stranger)):
        with pytest.raises(OwnershipRefused):
            await getattr(ownership, word)(story.ticket, person)

    query = select(audit_events.c.content).where(audit_events.c.kind == "ticket_command_refused")
    async with story.databases.owner.transaction(story.ticket.tenant_id) as session:
        events = (await session.execute(query.order_by(audit_events.c.at))).scalars().all()
    ticket = {"ticket": str(story.ticket.ticket_id)}
    assert events == [
        ticket | {"word": "hand_back", "principal": omar, "why": "held_by_another"},
        ticket | {"word": "take_over", "principal": stranger, "why": "unknown_principal"},
        ticket | {"word": "stop", "principal": stranger, "why": "unknown_principal"},
    ]


async def test_list_shows_who_holds_it(story: Story, ownership: PostgresOwnership, nora: RecordId) -> None:
    query = select(tickets.c.stage, tickets.c.reason, tickets.c.held_by)
    rows = []
    for word in ("take_over", "stop", "hand_back"):
        await getattr(ownership, word)(story.ticket, nora)
        async with story.databases.app.transaction(story.ticket.tenant_id) as session:
            rows.append(tuple((await session.execute(query)).one()))

    assert rows == [
        ("handed_over", "taken_over", nora),
        ("handed_over", "stopped", nora),
        ("fetching", "handed_back", None),
    ]


async def test_nobody_holds_what_automation_owns(story: Story, nora: RecordId) -> None:
    with pytest.raises(DBAPIError, match="ticket_holder"):
        async with story.databases.owner.transaction(story.ticket.tenant_id) as session:
            await session.execute(update(tickets).values(held_by=nora))


def told(ticket: str, principal: RecordId, epoch: int, before: RecordId | None) -> dict[str, object]:
    return {"ticket": ticket, "principal": principal, "owner_epoch": epoch, "held_before": before}


def named(ticket: TicketRef) -> dict[str, object]:
    return {"tenant": ticket.tenant_id, "ticket": ticket.ticket_id}
