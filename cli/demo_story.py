"""Plays the demo's tickets: what customers, teammates and the helpdesk do, a coroutine for each ticket."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
from temporalio.client import Client

from adapters.postgres.ownership import PostgresOwnership
from adapters.postgres.principals import Principals
from adapters.postgres.ticket_lists import TicketLine
from cli.connected import Connected
from cli.demo_data import DemoTicket, DemoVote, shop_of
from cli.demo_watch import WAITING, Ending, Lookout, Sent, rests
from cli.demo_world import Emulators, renumbered
from domain.model import RecordId
from domain.ticket import Outcome
from workflows import commands

LOOK_EVERY_S = 0.25
Told = Callable[[Sent, str], None]


@dataclass(frozen=True)
class Theatre:
    """What every story needs."""

    system: Connected
    client: Client
    emulators: Emulators
    lookout: Lookout
    told: Told
    run: int = 0
    votes: bool = True  # nobody is there to do it


@dataclass
class Story:
    """One ticket of the demo, sent."""

    theatre: Theatre
    ticket: DemoTicket
    sent: Sent
    messages: list[str]  # the helpdesk's ids of what the customer wrote
    _asked: set[str] = field(default_factory=set)

    async def play(self) -> Ending | None:
        """How the ticket ended; None where it waits for a person to vote."""
        if self.ticket.second:
            await self._tell_of_the_first()
        if self.ticket.take_over_by:
            await self._from_hand_to_hand(self.ticket.take_over_by)
        if self.ticket.is_asked_about and not self.theatre.votes:
            await self._until(lambda line: line.stage in WAITING)
            return None
        if self.ticket.vote:
            await self._vote(self.ticket.vote)
        line = await self._until(rests)
        for word in self.ticket.then:
            line = await self._write_again(renumbered(word.body, self.theatre.run), line)
        if self.ticket.second:
            await self.announce(self.messages[-1])  # a late copy, after the end
        return Ending(line, await self.theatre.system.tickets.effects_of(self.sent.ticket))

    async def _tell_of_the_first(self) -> None:
        await self._until(lambda _: True)  # the second has woken the ticket
        await self.announce(self.messages[0])

    async def _from_hand_to_hand(self, teammate: str) -> None:
        """As `countersign ticket take-over` and `hand-back` do it."""
        self._asked.add(await self._question())
        await self._card()
        principal = await self._principal(teammate)
        ownership, client = PostgresOwnership(self.theatre.system.app), self.theatre.client
        await commands.take_over(client, ownership, self.sent.ticket, principal)
        await self._until(lambda line: line.outcome == Outcome.HANDED_OVER and line.turns > 0)
        self.theatre.told(self.sent, f"taken over by {teammate}: no question any more, the story is left")
        await commands.hand_back(client, ownership, self.sent.ticket, principal)
        await self._until(lambda line: line.stage in WAITING)
        self.theatre.told(self.sent, f"handed back by {teammate}: asked anew")

    async def _principal(self, teammate: str) -> RecordId:
        found = await Principals(self.theatre.system.app).named(self.sent.ticket.tenant_id, teammate)
        if found is None:
            raise LookupError(teammate)
        return found.id

    async def _vote(self, vote: DemoVote) -> None:
        """Clicks as the teammate whom the ticket names, as soon as the card is there."""
        question = await self._question()
        while True:
            if await _click(self.theatre.emulators, question, vote):
                return self.theatre.told(self.sent, f"{vote.by} clicks {vote.kind}")
            await asyncio.sleep(LOOK_EVERY_S)

    async def _question(self) -> str:
        """One that has not been looked at before; waits for it."""
        await self._until(lambda line: line.stage in WAITING)
        while True:
            pending = await self.theatre.system.tickets.pending_approvals(self.sent.ticket)
            if new := set(pending) - self._asked:
                return new.pop()
            await asyncio.sleep(LOOK_EVERY_S)

    async def _card(self) -> None:
        """Waits until teammates see a question in Slack."""
        while True:
            effects = await self.theatre.system.tickets.effects_of(self.sent.ticket)
            if any((effect.type, effect.state) == ("slack_post", "confirmed") for effect in effects):
                return
            await asyncio.sleep(LOOK_EVERY_S)

    async def _write_again(self, body: str, before: TicketLine) -> TicketLine:
        await self.ask("POST", "/messages", {"body": body})
        self.theatre.told(self.sent, f"the customer writes again: {body}")
        return await self._until(lambda line: rests(line) and line.turns > before.turns)

    async def announce(self, message: str) -> None:
        """The helpdesk tells of a message, for the first time or again."""
        await self.ask("POST", "/deliveries", {"message_id": message})

    async def ask(self, method: str, path: str, body: Mapping[str, object]) -> Any:
        """The helpdesk, about this ticket."""
        where = f"/tickets/{self.sent.tenant}/{self.sent.number}{path}"
        return await self.theatre.emulators.ask(method, where, body)

    def _until(self, wanted: Callable[[TicketLine], bool]) -> Awaitable[TicketLine]:
        return self.theatre.lookout.until(self.sent, wanted)


async def send(theatre: Theatre, ticket: DemoTicket, before: Mapping[str, Story]) -> Story:
    """Opens the ticket, with what belongs to it before automation hears of it."""
    silent = bool(ticket.second or ticket.teammate_reply or ticket.merged_into)
    opened = await theatre.emulators.ask(
        "POST",
        "/tickets",
        {
            "brand": ticket.tenant,
            "subject": renumbered(ticket.subject, theatre.run),
            "body": renumbered(ticket.body, theatre.run),
            "requester": shop_of(ticket.tenant).customer(ticket.writer).model_dump(),
            "mail_headers": dict(ticket.mail_headers),
            "duplicate_delivery": ticket.duplicate_delivery,
            "send_webhook": not silent,
        },
    )
    number = str(opened["id"])
    sent = Sent(ticket.tenant, number, await theatre.system.ticket(f"{ticket.tenant}/{number}"))
    story = Story(theatre, ticket, sent, [str(opened["message_id"])])
    if silent:
        await _prepare(story, before)
    return story


async def _prepare(story: Story, before: Mapping[str, Story]) -> None:
    """Then the helpdesk tells of the customer's newest message."""
    ticket = story.ticket
    if ticket.teammate_reply:
        reply = {"author": "teammate", "body": ticket.teammate_reply, "send_webhook": False}
        await story.ask("POST", "/messages", reply)
    if ticket.merged_into:
        await story.ask("PATCH", "", {"merged_into": before[ticket.merged_into].sent.number})
    if ticket.second:
        second = {"body": renumbered(ticket.second, story.theatre.run), "send_webhook": False}
        story.messages.append(str((await story.ask("POST", "/messages", second))["id"]))
    await story.announce(story.messages[-1])


async def _click(emulators: Emulators, approval: str, vote: DemoVote) -> bool:
    """False while the card is not there yet."""
    order = {
        "user": vote.by,
        "action_id": f"approval-{vote.kind}",
        "approval": approval,
        "reason": vote.reason,
    }
    try:
        answer = await emulators.ask("POST", "/slack/click", order)
    except httpx.HTTPStatusError as error:
        if error.response.status_code == httpx.codes.NOT_FOUND:
            return False
        raise
    return bool(answer["ok"])
