"""What left for each ticket of the demo, from the other sides' own books, beside what was expected."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

from cli.demo_data import DemoTicket, Expectation, acknowledgement_of, shop_of
from cli.demo_story import Story
from cli.demo_watch import Ending
from cli.demo_world import Emulators
from domain.ticket import Outcome


@dataclass(frozen=True)
class Left:
    """For one ticket."""

    answers: int
    acknowledgements: int
    refunds: int

    def __str__(self) -> str:
        words = [_counted(self.answers, "answer"), _counted(self.refunds, "refund")]
        if self.acknowledgements:
            words.append("acknowledged")
        return ", ".join(word for word in words if word) or "nothing"


@dataclass(frozen=True)
class Played:
    """A ticket and how it ended."""

    story: Story
    ending: Ending

    @property
    def sentence(self) -> str:
        """For the terminal. Its own story is told only where it went as expected."""
        if self.story.ticket.says and is_expected_end(self.ending, self.story.ticket):
            return self.story.ticket.says
        return sentence(self.ending)


async def left(emulators: Emulators, story: Story) -> Left:
    """Read once the ticket rests."""
    state = await emulators.ask("GET", f"/state?brand={story.sent.tenant}")
    return _left(state, story)


async def account(shown: Console, emulators: Emulators, played: Sequence[Played]) -> bool:
    """A row for each ticket; True where one did not end as expected, or more or less left than expected."""
    tenants = dict.fromkeys(one.story.sent.tenant for one in played)
    states = {name: await emulators.ask("GET", f"/state?brand={name}") for name in tenants}
    table = Table("ticket", "about", "expected", "was", "because", "left", box=None)
    wrong = 0
    for one in played:
        ticket, ending = one.story.ticket, one.ending
        gone = _left(states[one.story.sent.tenant], one.story)
        ended, counted = is_expected_end(ending, ticket), is_expected_to_leave(gone, ticket)
        wrong += not (ended and counted)
        table.add_row(
            one.story.sent.name,
            ticket.name,
            _expected(ticket),
            _was(ending, ticket) + ("" if ended else " (!)"),
            ending.because,
            str(gone) + ("" if counted else " (!)"),
        )
    shown.print()
    shown.print(table)
    shown.print(f"\n{len(played)} tickets, {len(played) - wrong} as expected")
    return wrong > 0


def sentence(ending: Ending) -> str:
    """How a ticket rests, in words."""
    if ending.line.outcome == Outcome.CONFIRMED:
        return "the customer is content: confirmed"
    words = {
        "answered": "answered, with the article it quotes",
        "refunded": "refunded, then answered",
        "handed_over": f"handed to a teammate: {ending.because.replace('_', ' ')}",
        "not_answered": f"gets no answer: {ending.because.replace('_', ' ')}",
    }
    return words.get(ending.kind, ending.kind)


def is_expected_end(ending: Ending, ticket: DemoTicket) -> bool:
    """By our own records."""
    if ticket.outcome is not None and ending.line.outcome != ticket.outcome:
        return False
    return ticket.expect.startswith(ending.kind) and ending.because == (ticket.reason or "")


def is_expected_to_leave(gone: Left, ticket: DemoTicket) -> bool:
    """By the others' books. A customer whom a teammate answers later has been told so, once."""
    told = {Expectation.HANDED_OVER: (1, 1), Expectation.NOT_ANSWERED: (0, 0)}
    least, most = told.get(ticket.expect, (0, 1))
    return (gone.answers, gone.refunds) == (ticket.answers, int(ticket.is_refunded)) and (
        least <= gone.acknowledgements <= most
    )


def _expected(ticket: DemoTicket) -> str:
    return ", ".join([ticket.expect, *_outcome(ticket, ticket.outcome)])


def _was(ending: Ending, ticket: DemoTicket) -> str:
    return ", ".join([ending.kind, *_outcome(ticket, ending.line.outcome)])


def _outcome(ticket: DemoTicket, outcome: str | None) -> list[str]:
    """Only where it says more than how the ticket ended."""
    return [str(outcome)] if ticket.then else []


def _left(state: Mapping[str, Any], story: Story) -> Left:
    messages = [
        message["body"]
        for ticket in state["tickets"]
        for message in ticket["messages"]
        if (ticket["id"], message["author"], message["public"]) == (story.sent.number, "automation", True)
    ]
    acknowledged = sum(acknowledgement_of(story.sent.tenant) in body for body in messages)
    payments = {
        f"{order.payment_id}_{story.theatre.run}"
        for order in shop_of(story.ticket.tenant).orders
        if order.number in story.ticket.orders
    }
    return Left(
        answers=len(messages) - acknowledged,
        acknowledgements=acknowledged,
        refunds=sum(refund["payment_id"] in payments for refund in state["refunds"]),
    )


def _counted(number: int, thing: str) -> str:
    return f"{number} {thing}{'s' if number > 1 else ''}" if number else ""
