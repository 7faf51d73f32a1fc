"""A ticket that is missing from either witness is named."""

from collections.abc import Set as AbstractSet
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4, uuid5

import pytest

from adapters.audit.witnesses import GRACE, KnownTickets, ticket_of
from adapters.postgres.ticket_witness import TicketWitness
from domain.handoff import HandoffReason
from domain.ticket import TicketRef
from tests.adapters.postgres.story import Story
from tests.adapters.postgres.test_isolation import SETTLEMENT
from tests.conftest import Databases

NOW = datetime(2026, 11, 24, tzinfo=UTC)
LONG_AGO = NOW - timedelta(days=40)
TENANT, TICKET, OTHER = uuid4(), uuid4(), uuid4()


def sentences(
    listed: dict[UUID, datetime] | None = None,
    running: dict[UUID, datetime] | None = None,
    audited: AbstractSet[UUID] = frozenset(),
    archived: AbstractSet[UUID] = frozenset(),
) -> list[str]:
    known = KnownTickets(TENANT, listed or {}, audited, running or {}, archived)
    return [str(finding) for finding in known.disagreements(NOW)]


def test_witnesses_that_agree_leave_nothing_to_say() -> None:
    both = {TICKET: LONG_AGO}

    assert sentences(listed=both, running=both, audited={TICKET}) == []


def test_an_archived_run_is_as_good_as_one_in_temporal() -> None:
    assert sentences(listed={TICKET: LONG_AGO}, archived={TICKET}, audited={TICKET}) == []


def test_a_ticket_without_a_run_is_named() -> None:
    both = {TICKET: LONG_AGO}

    found = sentences(listed={**both, OTHER: LONG_AGO}, running=both)

    where = f"MISSING  tenant {TENANT}, ticket {OTHER}: "
    assert found == [f"{where}our tables know it; neither Temporal nor the archive has a run of it"]


@pytest.mark.parametrize("witness", ["Temporal", "the archive", "the audit trail"])
def test_a_ticket_without_a_row_is_named_with_who_knows_it(witness: str) -> None:
    found = sentences(
        running={TICKET: LONG_AGO} if witness == "Temporal" else {},
        archived={TICKET} if witness == "the archive" else set(),
        audited={TICKET} if witness == "the audit trail" else set(),
    )

    assert (
        f"MISSING  tenant {TENANT}, ticket {TICKET}: {witness} knows it; the tickets table does not" in found
    )


def test_what_has_just_begun_is_given_time() -> None:
    young, old = NOW - GRACE + timedelta(seconds=1), NOW - GRACE

    assert sentences(listed={TICKET: young}, running={OTHER: young}) == []
    assert len(sentences(listed={TICKET: old}, running={OTHER: old})) == 2


def test_a_settled_ticket_is_given_no_time() -> None:
    assert len(sentences(running={TICKET: NOW}, audited={TICKET})) == 1


def test_the_ticket_of_a_workflow_is_the_one_of_its_row() -> None:
    ticket = TicketRef(tenant_id=uuid4(), route=uuid4().hex)

    assert ticket_of(f"ticket:{ticket.tenant_id}:{ticket.route}") == ticket.ticket_id
    assert ticket.ticket_id == uuid5(ticket.tenant_id, ticket.route)
    with pytest.raises(ValueError, match="is no ticket's"):
        ticket_of(f"approval:{ticket.tenant_id}:apr_1")


async def test_our_tables_testify(databases: Databases, story: Story) -> None:
    await story.tickets.open(story.ticket, "1001", "generic")
    await story.tickets.settle(story.ticket, SETTLEMENT)
    witness, tenant_id = TicketWitness(databases.app, databases.sealer), story.ticket.tenant_id

    assert set(await witness.listed(tenant_id)) == {story.ticket.ticket_id}
    assert await witness.audited(tenant_id) == {story.ticket.ticket_id}
    assert await witness.archived(tenant_id) == set()


async def test_number_that_was_taken_over_and_never_read_is_no_ticket_yet(
    databases: Databases, story: Story
) -> None:
    await story.tickets.hand_over(story.ticket, HandoffReason.ERROR)  # makes the row, as a take-over does

    listed = await TicketWitness(databases.app, databases.sealer).listed(story.ticket.tenant_id)

    assert listed == {}
