"""What the tests of votes share: clicks, an inbox of clicks, and everything around the vote carrier."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID, uuid4

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
from domain.errors import RedactionFailed
from domain.fact import Money
from domain.model import ApprovalId
from tests.office import NOW, TENANT, TICKET, Office
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
            policy=office.policy(),
            effects=office.effects(),
            artifacts=office.artifacts,
            tickets=office.tickets,
            pause=pause,
        )
