"""What customers of a busy day want, and what the outside must have seen when it is over."""

from dataclasses import dataclass

from tests.end_to_end.system import APPROVE, BOOKS, GEAR, REJECT

DAMAGED = "The book of my order {order} arrived damaged. Please refund it."


@dataclass(frozen=True)
class Seen:
    """How a ticket ended and how often each thing was done for it."""

    ending: str
    replies: int = 0
    refunds: int = 0
    notes: int = 0
    cards: int = 0


@dataclass(frozen=True)
class Errand:
    """A customer's text; with a price there is an order, with a vote somebody is asked about it."""

    words: str
    seen: Seen
    tenant: str = BOOKS
    price: int = 0
    vote: str = ""


RETURN = Errand("How can I send a book back, and how long do I have?", Seen("answered", replies=1))
TENT = Errand(
    "How do I clean the tent, and may I put it into the washing machine?",
    Seen("answered", replies=1),
    tenant=GEAR,
)
SMALL = Errand(DAMAGED, Seen("refunded", replies=1, refunds=1), price=30_00)
APPROVED = Errand(DAMAGED, Seen("refunded", replies=1, refunds=1, cards=1), price=120_00, vote=APPROVE)
REJECTED = Errand(DAMAGED, Seen("handed_over", notes=1, cards=2), price=130_00, vote=REJECT)
PERSON = Errand("I want to speak to a person from your team, please.", Seen("handed_over", notes=1, cards=1))

TEN = (
    RETURN,
    SMALL,
    APPROVED,
    TENT,
    PERSON,
    RETURN,
    SMALL,
    APPROVED,
    REJECTED,
    TENT,
)
