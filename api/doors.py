"""What the doors open to: everything the HTTP side needs from outside, given by `python -m api` or a test."""

from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from time import time
from typing import Protocol
from uuid import UUID

from adapters.postgres.decision_records import DecisionStory
from adapters.postgres.hooks import Hook, HookAddress
from adapters.postgres.inbox import Accepted, Arrival, InboxState
from adapters.postgres.page_records import Places
from adapters.postgres.queue import Before, QueueLine, QueuePage, QueueView
from api.visitor import Sessions
from domain.judgement import HandoffStanding, HandoffVerdict, Judgement
from domain.model import RecordId
from domain.ports import Ownership
from domain.ticket import TicketRef


class Hooks(Protocol):
    """Which webhook addresses exist, remembered for seconds."""

    async def find(self, address: HookAddress) -> Hook | None:
        """None where there is no such address."""
        ...

    async def refreshed(self, address: HookAddress) -> Hook | None:
        """The same, not from memory (at most once a second): a secret may have been rotated."""
        ...


class Inbox(Protocol):
    """Where acknowledged things are kept."""

    async def accept(self, arrival: Arrival) -> Accepted:
        """Committed when it returns. The same delivery key gives the first delivery's id again."""
        ...


class Teams(Protocol):
    """Which Slack workspaces are installed."""

    async def tenant_of(self, team_id: str) -> UUID | None:
        """None for a workspace that nobody has connected."""
        ...


class Queues(Protocol):
    """Tickets as pages list them."""

    async def page(
        self, tenant_id: UUID, me: RecordId, view: QueueView, before: Before | None = None
    ) -> QueuePage:
        """Newest first."""
        ...

    async def one(self, tenant_id: UUID, me: RecordId, ticket_id: UUID) -> QueueLine | None:
        """None where the tenant has no such ticket."""
        ...


class Decisions(Protocol):
    """What was decided and what followed."""

    async def of_decision(self, tenant_id: UUID, decision_id: str) -> DecisionStory | None:
        """None where the tenant has no such decision."""
        ...

    async def of_ticket(self, tenant_id: UUID, ticket_id: UUID) -> DecisionStory:
        """Oldest first."""
        ...


class Records(Protocol):
    """Names of teammates, and where links lead."""

    async def names(self, tenant_id: UUID, wanted: Collection[RecordId]) -> Mapping[RecordId, str]:
        """Those without one are left out."""
        ...

    async def places(self, tenant_id: UUID) -> Places:
        """The tenant's own addresses."""
        ...


class Finder(Protocol):
    """Finds tickets by number."""

    async def numbered(self, tenant_id: UUID, number: str) -> UUID | None:
        """None where there is no such ticket."""
        ...


class WordInbox(Inbox, Protocol):
    """Keeps words to tickets, and says how far they have come."""

    async def state_of(self, tenant_id: UUID, delivery_id: UUID) -> InboxState:
        """Of a row that was accepted."""
        ...


class Judgements(Protocol):
    """What people think of handoffs."""

    async def judge(self, ticket: TicketRef, principal: RecordId, verdict: HandoffVerdict) -> Judgement:
        """Raises `JudgementRefused`. Repeating is safe."""
        ...

    async def standing(self, ticket: TicketRef) -> HandoffStanding:
        """Whether there is a handoff to judge, and what was said last."""
        ...


@dataclass(frozen=True)
class Elsewhere:
    """Addresses of other eyes. Where one is empty there is no link."""

    temporal_ui_url: str = ""
    temporal_namespace: str = "countersign"
    slack_message_url: str = ""  # with {team}, {channel} and {ts}
    public_url: str = ""  # ours, as people reach it through a proxy


@dataclass(frozen=True, repr=False)
class PageDoors:
    """What pages and the operator API need."""

    sessions: Sessions
    queue: Queues
    decisions: Decisions
    records: Records
    finder: Finder
    ownership: Ownership
    judgements: Judgements
    words: WordInbox
    elsewhere: Elsewhere = Elsewhere()
    patience_s: float = 9.0  # for a ticket's run to hear a word; people are answered within ten seconds


@dataclass(frozen=True, repr=False)
class Doors:
    """Ports and secrets of the HTTP side."""

    hooks: Hooks
    inbox: Inbox
    teams: Teams
    store_answers: Callable[[], Awaitable[None]]  # raises where the database does not answer
    temporal_address: str | None = None
    slack_signing_secret: str | None = None
    pages: PageDoors | None = None  # without them there are no pages
    clock: Callable[[], float] = time
