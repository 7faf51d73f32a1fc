"""Counts what left of the ledger in memory."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from uuid import UUID

from adapters.in_memory.ledger import InMemoryLedger
from domain.action import Refund
from domain.counting import Own, Per, Window
from domain.decision import CounterInput
from domain.effect import EffectIntent, EffectState
from domain.model import Currency

NOT_LEFT = frozenset({EffectState.INTENDED, EffectState.WITHDRAWN, EffectState.FAILED})


class InMemoryWhatLeft:
    """`WhatLeft` by the ledger's own clock."""

    def __init__(self, ledger: InMemoryLedger) -> None:
        self._ledger = ledger

    async def counted(
        self, tenant_id: UUID, windows: Sequence[Window], own: Own
    ) -> Mapping[Window, CounterInput]:
        """As the database does."""
        return {window: self._counter(tenant_id, window, own) for window in windows}

    def _counter(self, tenant_id: UUID, window: Window, own: Own) -> CounterInput:
        found = [
            intent
            for key, intent in self._ledger.intents.items()
            if not own.is_it(intent.ticket.ticket_id, intent.digest, key)
            and intent.ticket.tenant_id == tenant_id
            and self._in(window, intent)
        ]
        amounts: dict[Currency, int] = {}
        for intent in found:
            action = intent.proposed.action
            if isinstance(action, Refund):
                amount = action.amount
                amounts[amount.currency] = amounts.get(amount.currency, 0) + amount.minor_units
        return CounterInput(count=len(found), amounts=amounts)

    def _in(self, window: Window, intent: EffectIntent) -> bool:
        row, counter = self._ledger.rows[intent.key], window.counter
        since = self._ledger.now - timedelta(seconds=counter.within_s)
        return (
            intent.proposed.action.type == counter.action
            and row.state not in NOT_LEFT
            and row.claimed_at is not None
            and row.claimed_at > since
            and _subject(counter.per, intent) == window.subject
        )


def _subject(per: Per, intent: EffectIntent) -> str | None:
    action = intent.proposed.action
    match per:
        case Per.TENANT:
            return str(intent.ticket.tenant_id)
        case Per.TICKET:
            return str(intent.ticket.ticket_id)
        case Per.CUSTOMER:
            return intent.customer
        case Per.ORDER:
            return action.order if isinstance(action, Refund) else None
