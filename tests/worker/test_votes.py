"""Clicks become votes: judged by who clicked, asked until answered, refusals told to the clicker."""

import asyncio
from datetime import timedelta

import pytest

from adapters.postgres.inbox import InboxState
from domain.approval import VoteKind, VoteRefusal
from domain.errors import ProviderUnavailable
from domain.ports import ArtifactKind
from tests.office import NOW, TICKET
from tests.worker.clicking import (
    MARTA,
    QUESTION,
    Table,
    a_click,
)
from worker.ballots import NoAnswer, NotAsked


@pytest.fixture
async def table() -> Table:
    table = Table()
    await table.office.tickets.open(TICKET, "1001", "generic")
    await table.office.vault.keep(TICKET, {"ticket.external_id": "1001", "ticket.source": "generic"})
    return table


async def test_taken_vote_closes_the_row(table: Table) -> None:
    row = table.inbox.arrive(a_click())

    await table.round()

    [(vote, vote_id)] = table.ballot.cast_votes
    assert vote_id == row.hex
    assert vote.eligibility.principal == MARTA
    assert vote.eligibility.groups == ("approvers",)
    assert vote.eligibility.as_of == NOW
    assert table.inbox.closed == {row: InboxState.CONSUMED}
    assert table.told() == []


async def test_reason_is_kept_redacted_and_travels_as_a_reference(table: Table) -> None:
    table.inbox.arrive(a_click(kind=VoteKind.REJECT, reason="Order HB-1002 came back"))

    await table.round()

    [(vote, _)] = table.ballot.cast_votes
    assert vote.reason is not None
    kept = (await table.office.artifacts.get(TICKET, vote.reason)).decode()
    assert vote.reason.startswith(ArtifactKind.REASON)
    assert "HB-1002" not in kept


async def test_reason_that_names_the_customer_is_kept_without_the_name(table: Table) -> None:
    await table.office.vault.keep(TICKET, {"[[PERSON_1_k7]]": "Ada Novak"})
    table.inbox.arrive(a_click(kind=VoteKind.REJECT, reason="Ada Novak has called already"))

    await table.round()

    [(vote, _)] = table.ballot.cast_votes
    assert vote.reason is not None
    kept = (await table.office.artifacts.get(TICKET, vote.reason)).decode()
    assert kept == "[[PERSON_1_k7]] has called already"


async def test_reason_that_cannot_be_redacted_counts_as_not_written(table: Table) -> None:
    table.redactor.fails = True
    table.inbox.arrive(a_click(kind=VoteKind.REJECT, reason="anything"))

    await table.round()

    [(vote, _)] = table.ballot.cast_votes
    assert vote.reason is None


@pytest.mark.parametrize("why", [why for why in VoteRefusal if why is not VoteRefusal.STALE_ELIGIBILITY])
async def test_refusal_is_recorded_told_and_closes_the_row(table: Table, why: VoteRefusal) -> None:
    table.ballot.answers.append(why)
    row = table.inbox.arrive(a_click())

    await table.round()
    await table.round()

    assert table.inbox.closed == {row: InboxState.REFUSED}
    assert table.office.approvals.refusals == [(QUESTION.approval_id, MARTA, why)]
    [(whom, what)] = table.told()
    assert whom == "U0MARTA"
    assert what
    assert len(table.ballot.cast_votes) == 1


async def test_stranger_votes_without_a_group_and_is_told(table: Table) -> None:
    table.ballot.answers.append(VoteRefusal.NOT_ELIGIBLE)
    table.inbox.arrive(a_click(user_id="U0GUEST", team_id="T9"))

    await table.round()

    [(vote, _)] = table.ballot.cast_votes
    assert vote.eligibility.groups == ()
    assert [whom for whom, _ in table.told()] == ["U0GUEST"]


async def test_unanswered_vote_is_asked_again_under_the_same_id(table: Table) -> None:
    table.ballot.answers += [NoAnswer(), NoAnswer()]
    row = table.inbox.arrive(a_click())

    for _ in range(3):
        await table.round()

    assert [vote_id for _, vote_id in table.ballot.cast_votes] == [row.hex] * 3
    assert table.inbox.closed == {row: InboxState.CONSUMED}
    assert table.inbox.postponed == sorted(table.inbox.postponed)


async def test_lease_is_renewed_while_the_answer_takes_its_time_and_no_longer(table: Table) -> None:
    table.ballot.open.clear()
    row = table.inbox.arrive(a_click())

    await table.votes.round()
    await table.inbox.kept_long.wait()  # although the first renewal failed
    table.ballot.open.set()
    await table.votes.drain()

    assert table.inbox.closed == {row: InboxState.CONSUMED}
    assert not [task for task in asyncio.all_tasks() if "Votes._renew" in str(task.get_coro())]


async def test_eligibility_is_resolved_anew_at_each_attempt(table: Table) -> None:
    table.ballot.answers.append(NoAnswer())
    table.inbox.arrive(a_click())

    await table.round()
    table.inbox.now += timedelta(minutes=5)
    await table.round()

    ages = [vote.eligibility.as_of - NOW for vote, _ in table.ballot.cast_votes]
    assert ages == [timedelta(), timedelta(minutes=5)]


async def test_eligibility_that_waited_too_long_is_our_delay_not_an_answer(table: Table) -> None:
    table.ballot.answers.append(VoteRefusal.STALE_ELIGIBILITY)
    row = table.inbox.arrive(a_click())

    await table.round()
    await table.round()

    assert table.inbox.closed == {row: InboxState.CONSUMED}
    assert table.told() == []


async def test_card_clicked_before_its_workflow_started_is_asked_for_a_minute(table: Table) -> None:
    table.ballot.answers += [NotAsked(), NotAsked()]
    row = table.inbox.arrive(a_click())

    await table.round()
    table.inbox.now += timedelta(seconds=59)
    await table.round()
    await table.round()

    assert table.inbox.closed == {row: InboxState.CONSUMED}


async def test_approval_that_never_starts_is_not_pending_after_a_minute(table: Table) -> None:
    table.ballot.answers += [NotAsked(), NotAsked()]
    row = table.inbox.arrive(a_click())

    await table.round()
    table.inbox.now += timedelta(seconds=60)
    await table.round()

    assert table.inbox.closed == {row: InboxState.REFUSED}
    assert table.office.approvals.refusals[0][2] is VoteRefusal.NOT_PENDING


async def test_click_on_nothing_that_was_asked_is_closed(table: Table) -> None:
    row = table.inbox.arrive(a_click(approval_id="apr_" + "0" * 32))

    await table.round()

    assert table.inbox.closed == {row: InboxState.REFUSED}
    assert table.ballot.cast_votes == []


async def test_one_broken_click_keeps_no_other_from_being_counted(table: Table) -> None:
    table.ballot.answers.append(ValueError("broken"))
    broken, good = table.inbox.arrive(a_click()), table.inbox.arrive(a_click())

    await table.round()

    assert table.inbox.closed == {good: InboxState.CONSUMED}
    assert broken not in table.inbox.closed


async def test_word_that_slack_delays_is_said_later(table: Table) -> None:
    table.ballot.answers.append(VoteRefusal.EXPIRED)
    table.office.sender.before.append(ProviderUnavailable(retry_after_s=2.0))
    table.inbox.arrive(a_click())

    await table.round()

    assert len(table.told()) == 1
    assert table.pauses == [2.0]
