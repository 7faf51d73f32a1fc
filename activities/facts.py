"""Look up typed facts in the tenant's systems. Raw values are compared here and leave as booleans."""

import asyncio
import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from uuid import UUID

from temporalio import activity

from activities.clock import Clock, wall_clock
from activities.intake import REQUESTER_EMAIL
from domain.conversation import Author, Conversation
from domain.fact import Facts, Money, OrderFact, OrderRecord
from domain.model import ArtifactRef, Model, RecordId, digest_of
from domain.placeholder import PLACEHOLDER, PlaceholderKind
from domain.ports import ArtifactKind, Artifacts, Keys, Shop, Vault
from domain.ticket import TicketRef

# A requester with hundreds of orders must not fill the history; mentioned ones always come first.
MAX_ORDERS = 5
# A text that names more orders than this is answered by a person anyway.
MAX_MENTIONED = 10


class LookUpInput(Model):
    """Which redacted conversation to find facts for."""

    ticket: TicketRef
    conversation: ArtifactRef


class FactActivities:
    """Reads only; what it keeps in the vault is named by what it is, so repeating is safe."""

    def __init__(
        self, *, keys: Keys, artifacts: Artifacts, vault: Vault, shop: Shop, clock: Clock = wall_clock
    ) -> None:
        self._keys = keys
        self._artifacts = artifacts
        self._vault = vault
        self._shop = shop
        self._clock = clock

    @activity.defn
    async def look_up(self, input: LookUpInput) -> Facts:
        """Orders of the requester and orders the conversation names, with opaque ids."""
        as_of = self._clock()
        tenant = input.ticket.tenant_id
        values = await self._vault.values(input.ticket)
        mentioned = _mentioned(await self._conversation(input), values)
        email = values.get(REQUESTER_EMAIL)
        own, account = await self._account(tenant, email) if email else ((), None)
        found = await self._found(tenant, mentioned, own)
        facts = Facts(
            requester_known=bool(own) or account is not None,
            orders=await self._opaque(input.ticket, _ordered(own, found), set(found), email),
            as_of=as_of,
            orders_mentioned=len(mentioned),
            customer=await self._customer(tenant, account) if account else None,
            input_digest=digest_of(input),
        )
        await self._artifacts.put(input.ticket, ArtifactKind.FACTS, facts.model_dump_json().encode())
        return facts

    async def _account(self, tenant: UUID, email: str) -> tuple[Sequence[OrderRecord], str | None]:
        """The orders and the shop's id of the account; both at once, because each is a request."""
        return await asyncio.gather(self._shop.orders_of(tenant, email), self._shop.account(tenant, email))

    async def _customer(self, tenant: UUID, account: str) -> RecordId:
        """The same for every ticket of the account, whatever address it writes from."""
        return _record_id((await self._keys.tenant_key(tenant)).secret, "customer", account)

    async def _conversation(self, input: LookUpInput) -> Conversation:
        content = await self._artifacts.get(input.ticket, input.conversation)
        return Conversation.model_validate_json(content)

    async def _found(
        self, tenant: UUID, mentioned: Mapping[str, str], own: Sequence[OrderRecord]
    ) -> dict[str, OrderRecord]:
        """The mentioned orders that exist, whoever owns them, by order number."""
        owned = {_plain(order.number): order for order in own}
        found: dict[str, OrderRecord] = {}
        for plain, written in list(mentioned.items())[:MAX_MENTIONED]:
            order = owned.get(plain) or await self._shop.order(tenant, written)
            if order is not None:
                found[order.number] = order
        return found

    async def _opaque(
        self, ticket: TicketRef, orders: Sequence[OrderRecord], mentioned: set[str], email: str | None
    ) -> tuple[OrderFact, ...]:
        key = (await self._keys.tenant_key(ticket.tenant_id)).secret
        real = {_record_id(key, "order", order.number): order.number for order in orders}
        real |= {_record_id(key, "payment", o.payment_id): o.payment_id for o in orders if o.payment_id}
        await self._vault.keep(ticket, real)
        return tuple(_fact(key, order, email, order.number in mentioned) for order in orders)


def _mentioned(conversation: Conversation, values: Mapping[str, str]) -> dict[str, str]:
    """Order numbers the customer wrote: plain form → as written. Two spellings are one order."""
    said = [m.body for m in conversation.messages if m.author is Author.CUSTOMER and m.public]
    tokens = PLACEHOLDER.finditer("\n".join([conversation.subject, *said]))
    orders = [token[0] for token in tokens if token["kind"] == PlaceholderKind.ORDER]
    written = [values[token] for token in orders if token in values]
    return {_plain(number): number for number in written}


def _plain(number: str) -> str:
    return re.sub(r"[^0-9A-Z]", "", number.upper())


def _ordered(own: Sequence[OrderRecord], found: Mapping[str, OrderRecord]) -> list[OrderRecord]:
    """Mentioned ones first, then the requester's newest."""
    others = sorted((o for o in own if o.number not in found), key=lambda o: o.ordered_at, reverse=True)
    return [*found.values(), *others][: max(MAX_ORDERS, len(found))]


def _record_id(key: bytes, kind: str, real: str) -> RecordId:
    return f"{kind}_" + hmac.new(key, f"{kind}/{real}".encode(), hashlib.sha256).hexdigest()[:24]


def _fact(key: bytes, order: OrderRecord, email: str | None, mentioned: bool) -> OrderFact:  # noqa: FBT001 - a fact
    owned = email is not None and order.customer_email.strip().casefold() == email.strip().casefold()
    left = order.total.minor_units - order.refunded.minor_units
    return OrderFact(
        id=_record_id(key, "order", order.number),
        payment_id=_record_id(key, "payment", order.payment_id) if order.payment_id else None,
        status=order.status,
        total=order.total,
        refundable=Money(minor_units=max(left, 0), currency=order.total.currency),
        owner_is_requester=owned,
        mentioned=mentioned,
        ordered_at=order.ordered_at,
        delivered_at=order.delivered_at,
    )
