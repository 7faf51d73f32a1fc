"""Wakes a ticket again for one delivery: always by a row in the inbox, never around it."""

import json
from dataclasses import dataclass
from uuid import UUID

import click

from adapters.helpdesks.inbound import Malformed
from adapters.postgres.inbox import Arrival, InboxKind, InboxState
from adapters.postgres.inbox_lists import DeliveryLine
from api.sources import SOURCES
from cli.connected import GENERIC, Connected
from domain.model import RouteKey
from domain.ticket import TicketRef

NOW = "it waited, and is relayed now"
AGAIN = "its ticket is woken by a delivery of its own, {by}, and reads the helpdesk anew"
UNDER_WAY = "already on its way as {by}"
LATE = "a relay took it just now"
CLICK = "A click is answered once. Ask {tenant}'s teammate to click again"
LOST = "Delivery {id} still names no ticket. Dismiss it with `countersign inbox dismiss {tenant} {id}`"
GONE = (
    "The ticket of delivery {id} was never read and its key is destroyed. Ask the helpdesk to send it again"
)


@dataclass(frozen=True)
class Redelivery:
    """For one tenant."""

    system: Connected
    tenant: str
    tenant_id: UUID

    async def of(self, line: DeliveryLine) -> str:
        """What happens now, in words. Raises a sentence where nothing can."""
        if line.state is InboxState.PENDING:
            return NOW if await self.system.inbox.bring_forward(self.tenant_id, line.id) else LATE
        if line.kind is not InboxKind.HELPDESK:
            raise click.ClickException(CLICK.format(tenant=self.tenant))
        if line.route is None:
            return await self._routed(line)
        return await self._woken(line, line.route, await self._external_id(line, line.route))

    async def _woken(self, line: DeliveryLine, route: RouteKey, external_id: str) -> str:
        # A row of its own: a ticket remembers the deliveries that woke it, and a consumed one has no key.
        arrival = Arrival(
            tenant_id=self.tenant_id,
            kind=InboxKind.HELPDESK,
            source=line.source,
            delivery_key=await self.system.inbox.next_repeat(line, self.tenant_id),
            body=b"",
            external_id=external_id,
            route=route,
            redelivers=line.id,
        )
        accepted = await self.system.door.accept(arrival)
        return (AGAIN if accepted.new else UNDER_WAY).format(by=accepted.delivery_id)

    async def _external_id(self, line: DeliveryLine, route: RouteKey) -> str:
        """From the delivery while its key lives; else from its ticket, which was read first."""
        body = await self.system.inbox.opened(self.tenant_id, line.id)
        if body is not None:
            return body.external_id
        known = await self.system.tickets.one(TicketRef(tenant_id=self.tenant_id, route=route))
        if known is None or not known.external_id:
            raise click.ClickException(GONE.format(id=line.id))
        return known.external_id

    async def _routed(self, line: DeliveryLine) -> str:
        """A release later the same body may name its ticket."""
        external_id = await self._named_now(line)
        if external_id is None:
            raise click.ClickException(LOST.format(id=line.id, tenant=self.tenant))
        ticket = await self.system.ticket(f"{self.tenant}/{external_id}")
        said = await self._woken(line, ticket.route, external_id)
        await self.system.inbox.end_unroutable(self.tenant_id, line.id, InboxState.CONSUMED)
        return said

    async def _named_now(self, line: DeliveryLine) -> str | None:
        body = await self.system.inbox.opened(self.tenant_id, line.id)
        source = SOURCES.get(line.source)
        # Routes of other sources need their secret's reader in `Connected.ticket` first.
        if body is None or source is None or line.source != GENERIC:
            return None
        try:
            return source.route(json.loads(body.content))
        except (Malformed, ValueError):
            return None
