"""What stands behind the doors in unit tests: one tenant, one address, an inbox in memory."""

from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID, uuid4

from adapters.postgres.hooks import Hook, HookAddress
from adapters.postgres.inbox import Accepted, Arrival

TENANT = UUID("11111111-1111-4111-8111-111111111111")
ADDRESS = HookAddress("harbour_books", "generic", "slug-of-harbour")
PATH = "/hooks/harbour_books/generic/slug-of-harbour"
SECRET = "whsec_bG9vcGJhY2stc2VjcmV0LTAxMjM0NTY3ODlhYmNkZWY="
NEXT_SECRET = "whsec_bmV4dC1zZWNyZXQtMDEyMzQ1Njc4OWFiY2RlZi0wMQ=="
ROUTING_SECRET = b"routing-secret-of-harbour-books!"
SLACK_SECRET = "sl-secret"
TEAM = "T1"
NOW = 1795167000.0


@dataclass
class FakeHooks:
    """One address; `rotated` is what a look past the memory finds."""

    hook: Hook = field(default_factory=lambda: Hook(TENANT, (SECRET,), ROUTING_SECRET))
    rotated: Hook | None = None

    async def find(self, address: HookAddress) -> Hook | None:
        """As it was remembered."""
        return self.hook if address == ADDRESS else None

    async def refreshed(self, address: HookAddress) -> Hook | None:
        """As it is now."""
        return (self.rotated or self.hook) if address == ADDRESS else None


@dataclass
class FakeInbox:
    """Rows by delivery key; `failure` is raised instead of storing."""

    rows: dict[tuple[UUID, str, str], tuple[UUID, Arrival]] = field(default_factory=dict)
    failure: Exception | None = None

    async def accept(self, arrival: Arrival) -> Accepted:
        """The first copy makes the row."""
        if self.failure is not None:
            raise self.failure
        key = (arrival.tenant_id, arrival.source, arrival.delivery_key)
        new = key not in self.rows
        row = self.rows.setdefault(key, (uuid4(), arrival))
        return Accepted(delivery_id=row[0], new=new)

    @property
    def arrivals(self) -> list[Arrival]:
        """What was stored, in order."""
        return [arrival for _, arrival in self.rows.values()]


class FakeTeams:
    """One workspace."""

    async def tenant_of(self, team_id: str) -> UUID | None:
        """None for all others."""
        return TENANT if team_id == TEAM else None


@dataclass
class FakeStore:
    """Whether the database answers."""

    failure: Exception | None = None

    async def answers(self) -> None:
        """Raise where it does not."""
        if self.failure is not None:
            raise self.failure


def standing_still() -> Callable[[], float]:
    """A clock that shows the instant of the signature vectors."""
    return lambda: NOW
