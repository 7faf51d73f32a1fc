"""Who speaks on a ticket, by a teammate's word: take over, hand back, stop. Ids and enums; no text."""

from enum import StrEnum
from uuid import UUID, uuid5

from pydantic import Field

from domain.audit import PerformedEffect
from domain.effect import EffectState
from domain.model import EffectKey, Model, RecordId
from domain.ticket import Owner, TicketRef

# Besides members of any group; the database function holds the same two.
TEAMMATE_ROLE = "teammate"
ADMIN_ROLE = "admin"  # may also hand back what somebody else holds

LEFT = frozenset({EffectState.SENT, EffectState.CONFIRMED})
NOT_KNOWN = frozenset({EffectState.CLAIMED, EffectState.UNKNOWN})


class OwnershipCommand(Model):
    """What a running ticket is told, after the database has decided it."""

    ticket: TicketRef
    principal: RecordId
    owner_epoch: int = Field(ge=1)

    @property
    def update_id(self) -> str:
        """Each change raises the epoch, so that a repeated word is known as one."""
        return f"owner/{self.ticket.ticket_id}/{self.owner_epoch}"


class TakeOver(OwnershipCommand):
    """A teammate owns the ticket: no automated message leaves any more."""


class Stop(OwnershipCommand):
    """A teammate has ended automation on the ticket; it counts as abandoned."""


class HandBack(OwnershipCommand):
    """Automation owns the ticket again."""

    @property
    def delivery_id(self) -> UUID:
        """Wakes the ticket like a delivery; there is no such row, and the inbox says so."""
        return uuid5(self.ticket.ticket_id, f"handed_back/{self.owner_epoch}")


class OwnershipRefusal(StrEnum):
    """Why the owner stays."""

    UNKNOWN_PRINCIPAL = "unknown_principal"
    NOT_ENTITLED = "not_entitled"
    UNKNOWN_TICKET = "unknown_ticket"
    NOT_TAKEN_OVER = "not_taken_over"
    HELD_BY_ANOTHER = "held_by_another"


SENTENCES = {
    OwnershipRefusal.UNKNOWN_PRINCIPAL: "The tenant has no such teammate. Add them to the tenant file",
    OwnershipRefusal.NOT_ENTITLED: (
        f"This teammate is in no group and has neither role {TEAMMATE_ROLE!r} nor {ADMIN_ROLE!r}. "
        "Add one in the tenant file"
    ),
    OwnershipRefusal.UNKNOWN_TICKET: "Nobody has worked on this ticket yet",
    OwnershipRefusal.NOT_TAKEN_OVER: "Automation owns this ticket already",
    OwnershipRefusal.HELD_BY_ANOTHER: (
        f"Another teammate holds this ticket. Take it over first, or ask somebody with role {ADMIN_ROLE!r}"
    ),
}


class OwnershipRefused(Exception):
    """The owner stays who it is; only the refusal was written down."""

    def __init__(self, why: OwnershipRefusal) -> None:
        super().__init__(SENTENCES[why])
        self.why = why


class OwnerChange(Model):
    """What the database decided, and which effects had left its hands by then without a known end."""

    owner: Owner
    held_by: RecordId | None = None
    owner_epoch: int = Field(ge=0)
    changed: bool  # False: the same word again
    effects: tuple[PerformedEffect, ...] = ()

    @property
    def keys(self) -> tuple[EffectKey, ...]:
        """What to follow until its end is known."""
        return tuple(effect.key for effect in self.effects)


class RunWord(StrEnum):
    """Whether the ticket's run knows. The fence holds in any case."""

    TOLD = "told"
    NO_RUN = "no_run"
    LATER = "later"  # nobody answered, or nobody asked; what the run wants to let out is refused


class OwnershipAnswer(Model):
    """Who owns the ticket now, and what automation had let out before."""

    ticket: TicketRef
    owner: Owner
    held_by: RecordId | None = None
    owner_epoch: int = Field(ge=0)
    changed: bool
    run: RunWord
    left: tuple[PerformedEffect, ...] = ()
    not_known: tuple[PerformedEffect, ...] = ()
