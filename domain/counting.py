"""Counting what left in a window: what a policy asks for, and whose it is."""

from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from domain.model import Digest, EffectKey


class Per(StrEnum):
    """Whose actions a counter counts."""

    CUSTOMER = "customer"
    TICKET = "ticket"
    ORDER = "order"
    TENANT = "tenant"


class Counter(NamedTuple):
    """What must be counted before a decision: actions of a type in the last `within_s` seconds."""

    action: str
    per: Per
    within_s: int

    @property
    def key(self) -> str:
        """Its name in the input's `counters`. The database reads it too, at the claim."""
        return f"{self.action}.{self.per.value}.{self.within_s}"


class Window(NamedTuple):
    """A counter of somebody: the opaque id of a customer or an order, or the id of a ticket or tenant."""

    counter: Counter
    subject: str


class Own(NamedTuple):
    """Effects that do not count against themselves: of a ticket by what is proposed, or one by its key."""

    ticket_id: UUID
    proposed: tuple[Digest, ...] = ()
    key: EffectKey | None = None

    def is_it(self, ticket_id: UUID, proposed: Digest, key: EffectKey) -> bool:
        """Whether this is one of them."""
        return key == self.key or (ticket_id == self.ticket_id and proposed in self.proposed)
