"""Clicks become votes: judged by who clicked, asked until answered, refusals told to the clicker."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest

from activities.policy import PolicyActivities
from adapters.in_memory import InMemoryRedactor
from adapters.postgres.deliveries import Opened
from adapters.postgres.inbox import InboxState
from adapters.postgres.relay_inbox import WaitingRow
from adapters.postgres.voting import Clicker
from adapters.slack.clicks import Click
from domain.action import ActionType, ProposedAction, Refund
from domain.approval import ApprovalRequest, Vote, VoteKind, VoteRefusal, approval_id
from domain.card import Card
from domain.decision import Obligations, PolicyDecision, Reason, Verdict
from domain.errors import ProviderUnavailable, RedactionFailed
from domain.fact import Money
from domain.model import ApprovalId
from domain.ports import ArtifactKind
from tests.office import NOW, TENANT, TICKET, Office
from worker.ballots import NoAnswer, NotAsked
from worker.votes import RENEW_EVERY_S, VotePorts, Votes
from worker.word_to_clicker import EphemeralWord

MESSAGE = "msg_" + "a" * 32
DIGEST = "sha256:" + "b" * 64
MARTA = "principal_" + "1" * 24
STRANGER = "principal_" + "9" * 24
PROPOSED = ProposedAction(
    ordinal=0,
    action=Refund(
        order="order_" + "1" * 24,
        payment="payment_" + "2" * 24,
        amount=Money(minor_units=12000, currency="EUR"),
        playbook="refund_delivered_order",
    ),
)
QUESTION = ApprovalRequest(
    approval_id=approval_id(TICKET.ticket_id, MESSAGE, PROPOSED.digest),
    ticket=TICKET,
    turn=1,
    message=MESSAGE,
    owner_epoch=0,
    proposed=PROPOSED,
    decision=PolicyDecision(
        decision_id="dec_" + "c" * 40,
        verdict=Verdict.APPROVAL_NEEDED,
        reasons=(Reason(rule="refund_limits", code="above_limit"),),
        policy_version=DIGEST,
        action_digest=PROPOSED.digest,
        input_digest=DIGEST,
    ),
    obligations=Obligations(approver_groups=("approvers",)),
    card="card_" + "d" * 64,
)


def a_click(**changes: object) -> Click:
    return Click.model_validate(
        {
            "team_id": "T1",
            "user_id": "U0MARTA",
            "channel_id": "C1",
            "kind": VoteKind.APPROVE,
            "approval_id": QUESTION.approval_id,
            "revision": 1,
            "digest": PROPOSED.digest,
        }
        | changes
    )


@dataclass
class ClickInbox:
    """Rows in memory: leased, postponed, opened, closed."""

    now: datetime = NOW
    clicks: dict[UUID, Click] = field(default_factory=dict)
    received: dict[UUID, datetime] = field(default_factory=dict)
    attempts: dict[UUID, int] = field(default_factory=dict)
    closed: dict[UUID, InboxState] = field(default_factory=dict)
    postponed: list[timedelta] = field(default_factory=list)
    renewed: Counter[UUID] = field(default_factory=Counter)
    kept_long: asyncio.Event = field(default_factory=asyncio.Event)

    def arrive(self, click: Click) -> UUID:
        row = uuid4()
        self.clicks[row] = click
        self.received[row] = self.now
        return row

    async def lease(self, life: timedelta) -> Sequence[WaitingRow]:
        assert life > timedelta(seconds=2 * RENEW_EVERY_S)
        return [self._row(row) for row in self.clicks if row not in self.closed]

    async def renew(self, row: WaitingRow, life: timedelta) -> None:
        assert life > timedelta(seconds=2 * RENEW_EVERY_S)
        self.renewed[row.id] += 1
        if self.renewed[row.id] == 2:
            self.kept_long.set()
        if self.renewed[row.id] == 1:
            raise ConnectionError

    async def postpone(self, row: WaitingRow, by: timedelta) -> None:
        self.attempts[row.id] = row.attempts + 1
        self.postponed.append(by)

    async def open(self, tenant_id: UUID, delivery_id: UUID) -> Opened | None:
        assert tenant_id == TENANT
        if delivery_id in self.closed:
            return None
        return Opened(self.clicks[delivery_id].model_dump_json().encode(), self.received[delivery_id])

    async def close(self, tenant_id: UUID, deliveries: Sequence[UUID], state: InboxState) -> None:
        assert tenant_id == TENANT
        self.closed.update(dict.fromkeys(deliveries, state))

    def _row(self, row: UUID) -> WaitingRow:
        return WaitingRow(TENANT, row, None, row.hex, self.attempts.get(row, 0), None)


class OneQuestion:
    """One approval was asked, and Marta may answer it."""

    async def request(self, tenant_id: UUID, id_: ApprovalId) -> ApprovalRequest | None:
        assert tenant_id == TENANT
        return QUESTION if id_ == QUESTION.approval_id else None

    async def clicker(self, tenant_id: UUID, team_id: str, user_id: str) -> Clicker:
        assert tenant_id == TENANT
        return (
            Clicker(MARTA, ("approvers",)) if (team_id, user_id) == ("T1", "U0MARTA") else Clicker(STRANGER)
        )


class Ballot:
    """Answers from a list, then takes every vote."""

    def __init__(self) -> None:
        self.answers: list[VoteRefusal | Exception | None] = []
        self.cast_votes: list[tuple[Vote, str]] = []
        self.open = asyncio.Event()
        self.open.set()

    async def cast(self, tenant_id: UUID, vote: Vote, vote_id: str) -> VoteRefusal | None:
        assert tenant_id == TENANT
        self.cast_votes.append((vote, vote_id))
        await self.open.wait()
        answer = self.answers.pop(0) if self.answers else None
        if isinstance(answer, Exception):
            raise answer
        return answer


class FragileRedactor(InMemoryRedactor):
    """Fails for what teammates type, when told to."""

    fails = False

    async def redact_text(self, text: str, known: Mapping[str, str]) -> str:
        if self.fails:
            raise RedactionFailed
        return await super().redact_text(text, known)


class Table:
    """Everything voting needs, in memory, over the office's real steps."""

    def __init__(self) -> None:
        self.office = Office()
        self.inbox = ClickInbox()
        self.ballot = Ballot()
        self.redactor = FragileRedactor()
        self.pauses: list[float] = []
        self.votes = Votes(
            VotePorts(
                waiting=self.inbox,
                kept=self.inbox,
                records=OneQuestion(),
                redactor=self.redactor,
                artifacts=self.office.artifacts,
                vault=self.office.vault,
                approvals=self.office.approvals,
                ballots=self.ballot,
                word=self._word(),
                clock=lambda: self.inbox.now,
            ),
            renew_every_s=0.001,
        )

    async def round(self) -> None:
        await self.votes.round()
        await self.votes.drain()

    def told(self) -> list[tuple[str, str]]:
        """To whom, and what."""
        return [
            (next(iter(order.record_ids.values())), Card.model_validate_json(order.text).body)
            for order in self.office.sender.sent(ActionType.SLACK_EPHEMERAL)
        ]

    def _word(self) -> EphemeralWord:
        office = self.office

        async def pause(seconds: float) -> None:
            self.pauses.append(seconds)

        return EphemeralWord(
            policy=PolicyActivities(policies=office.policies, decisions=office.decisions),
            effects=office.effects(),
            artifacts=office.artifacts,
            tickets=office.tickets,
            pause=pause,
        )


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
