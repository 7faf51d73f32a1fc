"""What a wake-up finds, whatever an earlier attempt left behind."""

from datetime import timedelta

import pytest
from temporalio.exceptions import ApplicationError

from activities.intake import FetchInput, RedactInput
from domain.conversation import Author, Conversation
from domain.errors import TicketNotFound
from domain.ticket import ClosingRecord, Settlement, Stage
from tests.office import EMAIL, NAME, TICKET, Office

FETCH = FetchInput(ticket=TICKET)


async def test_message_is_found_again_after_its_delivery_was_consumed() -> None:
    office = Office()
    office.write("Hello")
    first = await office.intake().fetch(FETCH)

    again = await office.intake().fetch(FETCH)

    assert again.message == first.message is not None
    assert (first.deliveries, again.deliveries) == (1, 0)


async def test_answered_message_is_not_found_again() -> None:
    office = Office()
    office.write("Hello")
    fetched = await office.intake().fetch(FETCH)
    ended = Settlement(
        record=ClosingRecord(turns=1), stage=Stage.SETTLED, reason="x", message=fetched.message
    )
    await office.tickets.settle(TICKET, ended)

    assert (await office.intake().fetch(FETCH)).message is None


@pytest.mark.parametrize("author", [Author.TEAMMATE])
async def test_message_a_teammate_answered_waits_for_nobody(author: Author) -> None:
    office = Office()
    office.write("Hello")
    office.write("Hello, how can I help?", author)

    assert (await office.intake().fetch(FETCH)).message is None


async def test_ticket_not_yet_committed_is_read_again() -> None:
    office = Office()
    office.deliver("d1")

    with pytest.raises(TicketNotFound):
        await office.intake().fetch(FETCH)
    assert len(office.deliveries.waiting[TICKET]) == 1


async def test_ticket_unknown_for_a_minute_is_not_there() -> None:
    office = Office()
    office.deliver("d1")
    office.now += timedelta(seconds=61)

    with pytest.raises(ApplicationError) as gone:
        await office.intake().fetch(FETCH)
    assert gone.value.non_retryable


async def test_ticket_nobody_told_of_is_not_there() -> None:
    with pytest.raises(ApplicationError):
        await Office().intake().fetch(FETCH)


async def test_redacted_conversation_has_nothing_of_the_requester_in_clear() -> None:
    office = Office()
    office.write(f"I am {NAME}, write to {EMAIL} about HB-1001")
    fetched = await office.intake().fetch(FETCH)
    assert fetched.raw is not None

    redacted = await office.intake().redact(RedactInput(ticket=TICKET, raw=fetched.raw))

    kept = office.artifacts.blobs[TICKET, redacted.conversation].decode()
    assert not {NAME, EMAIL, "HB-1001"} & set(kept.split('"'))
    assert all(value not in kept for value in (NAME, EMAIL, "HB-1001"))
    assert Conversation.model_validate_json(kept).requester.phone is None
