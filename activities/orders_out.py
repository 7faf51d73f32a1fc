"""Makes what a sender needs from an intent: real ids and texts, in memory only."""

from collections.abc import Collection, Mapping

from activities.intake import EXTERNAL_TICKET_ID, SOURCE, placeholders_of
from activities.rehydration import rehydrated
from domain.action import (
    Action,
    ActionType,
    PrivateNote,
    Refund,
    Reply,
    SlackEphemeral,
    SlackPost,
    SlackUpdate,
)
from domain.effect import EffectIntent, Receipt, SendOrder
from domain.errors import UnsafeText
from domain.model import Code, RecordId
from domain.placeholder import KINDS, PlaceholderKind, in_words
from domain.ports import Artifacts, Ledger, Vault

# A team must hear of a ticket even when the ticket itself could not be read.
IN_SLACK = frozenset({ActionType.SLACK_POST, ActionType.SLACK_UPDATE, ActionType.SLACK_EPHEMERAL})


class SendOrders:
    """Reads only, so repeating is safe. Raises `UnsafeText` where something needed is not known."""

    def __init__(self, *, ledger: Ledger, artifacts: Artifacts, vault: Vault) -> None:
        self._ledger = ledger
        self._artifacts = artifacts
        self._vault = vault

    async def make(self, intent: EffectIntent, redact_fields: Collection[Code] = ()) -> SendOrder:
        """Values are put back in replies only, but for those to be taken out; teammates read words.

        Raises `UnsafeText` for a kind of value that is not known.
        """
        if not KINDS.keys() >= set(redact_fields):
            raise UnsafeText
        values = await self._vault.values(intent.ticket)
        on_the_ticket = intent.proposed.action.type not in IN_SLACK
        if on_the_ticket and (EXTERNAL_TICKET_ID not in values or SOURCE not in values):
            raise UnsafeText
        return SendOrder(
            key=intent.key,
            ticket=intent.ticket,
            external_ticket_id=values.get(EXTERNAL_TICKET_ID, ""),
            source=values.get(SOURCE, ""),
            action=intent.proposed.action,
            text=await self._text(intent, values, frozenset(KINDS[field] for field in redact_fields)),
            record_ids=_records(intent.proposed.action, values),
            earlier=await self._earlier(intent),
        )

    async def _text(
        self, intent: EffectIntent, values: Mapping[str, str], withheld: frozenset[PlaceholderKind]
    ) -> str:
        match intent.proposed.action:
            case Reply(text=reference):
                text = (await self._artifacts.get(intent.ticket, reference)).decode()
                return rehydrated(text, placeholders_of(values), withheld)
            case PrivateNote(text=reference):
                return in_words((await self._artifacts.get(intent.ticket, reference)).decode())
            case SlackPost(card=card) | SlackUpdate(card=card) | SlackEphemeral(card=card):
                return (await self._artifacts.get(intent.ticket, card)).decode()
            case _:
                return ""

    async def _earlier(self, intent: EffectIntent) -> Receipt | None:
        match intent.proposed.action:
            case SlackUpdate(posted_by=post) | SlackPost(thread_of=str(post)):
                return await self._ledger.receipt(intent.ticket, post)
            case _:
                return None


def _records(action: Action, values: Mapping[str, str]) -> dict[str, str]:
    """Real ids of the records the action names."""
    needed = _named_records(action)
    if any(record not in values for record in needed):
        raise UnsafeText
    return {record: values[record] for record in needed}


def _named_records(action: Action) -> tuple[RecordId, ...]:
    match action:
        case Refund(order=order, payment=payment):
            return (order, payment)
        case SlackEphemeral(principal=principal):
            return (principal,)
        case _:
            return ()
