"""What the doors open to: everything the HTTP side needs from outside, given by `python -m api` or a test."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from time import time
from typing import Protocol
from uuid import UUID

from adapters.postgres.hooks import Hook, HookAddress
from adapters.postgres.inbox import Accepted, Arrival


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


@dataclass(frozen=True, repr=False)
class Doors:
    """Ports and secrets of the HTTP side."""

    hooks: Hooks
    inbox: Inbox
    teams: Teams
    store_answers: Callable[[], Awaitable[None]]  # raises where the database does not answer
    temporal_address: str | None = None
    slack_signing_secret: str | None = None
    clock: Callable[[], float] = time
