"""Let effects out: the only caller of `Sender`. Intended, claimed, sent, confirmed, in this order."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.clock import Clock, wall_clock
from activities.gate import Gate
from activities.heartbeats import heartbeats
from activities.orders_out import SendOrders
from domain.action import ActionType, SlackUpdate
from domain.effect import (
    Clearance,
    EffectIntent,
    EffectResult,
    EffectState,
    LedgerRow,
    Receipt,
    Refusal,
    SendOrder,
)
from domain.errors import (
    PERMANENT_ERRORS,
    DeliveryRefused,
    DeliveryUncertain,
    EngineUnavailable,
    ProviderUnavailable,
    UnsafeText,
    WindowBusy,
)
from domain.model import Digest, Model, digest_of
from domain.ports import Artifacts, Ledger, Sender, Vault

# How long a claimed effect may be tried, or policy waited for, before a person is asked to look.
PATIENCE = timedelta(minutes=5)
UNSAID_DELAY = timedelta(seconds=1)
# How often an attempt decides again because others claimed in the same window meanwhile.
CLAIMS = 5


class PerformInput(Model):
    """Several effects of one turn."""

    intents: tuple[EffectIntent, ...]


class Performed(Model):
    """How they ended, in their order."""

    effects: tuple[EffectResult, ...]
    input_digest: Digest


class EffectActivities:
    """Repeating is safe: the ledger row says how far an earlier attempt came, every send carries its key."""

    def __init__(  # noqa: PLR0913 - a step's ports
        self,
        *,
        ledger: Ledger,
        artifacts: Artifacts,
        vault: Vault,
        gate: Gate,
        senders: Sequence[Sender],
        clock: Clock = wall_clock,
    ) -> None:
        self._ledger = ledger
        self._orders = SendOrders(ledger=ledger, artifacts=artifacts, vault=vault)
        self._gate = gate
        self._senders: Mapping[ActionType, Sender] = {
            type_: sender for sender in senders for type_ in sender.action_types
        }
        self._clock = clock

    @activity.defn
    async def perform(self, intent: EffectIntent) -> EffectResult:
        """One effect. Also called outside Temporal, to tell a clicker why their vote was refused."""
        async with heartbeats():
            return await self._perform(intent)

    @activity.defn
    async def perform_in_order(self, input: PerformInput) -> Performed:
        """Effects that only make sense after the one before: stops at the first that is not confirmed."""
        results: list[EffectResult] = []
        async with heartbeats():
            for intent in input.intents:
                results.append(await self._perform(intent))
                if results[-1].state is not EffectState.CONFIRMED:
                    break
        return Performed(effects=tuple(results), input_digest=digest_of(input))

    @activity.defn
    async def perform_each(self, input: PerformInput) -> Performed:
        """Effects that do not need each other: trouble with one keeps no other from leaving."""
        results: list[EffectResult] = []
        troubles: list[Exception] = []
        async with heartbeats():
            for intent in input.intents:
                try:
                    results.append(await self._perform_or_leave(intent))
                except Exception as error:  # noqa: BLE001 - raised below, after the others had their turn
                    troubles.append(error)
        if troubles:
            raise troubles[0]
        return Performed(effects=tuple(results), input_digest=digest_of(input))

    async def _perform_or_leave(self, intent: EffectIntent) -> EffectResult:
        try:
            return await self._perform(intent)
        except PERMANENT_ERRORS:
            return _result(intent, EffectState.UNKNOWN)

    async def _perform(self, intent: EffectIntent) -> EffectResult:
        row = await self._ledger.intend(intent)
        match row.state:
            case EffectState.INTENDED:
                return await self._first(intent, row)
            case EffectState.CLAIMED:
                return await self._again(intent, row)
            case EffectState.SENT:
                return await self._record(intent, EffectState.CONFIRMED, row.receipt)
            case EffectState.UNKNOWN:
                return await self._look_once_more(intent)
            case _:
                return _result(intent, row.state, row.refusal)

    async def _first(self, intent: EffectIntent, row: LedgerRow) -> EffectResult:
        """Everything that can be refused is, before the claim uses the approval up."""
        try:
            order = await self._orders.make(intent)
            if isinstance(order.action, SlackUpdate) and order.earlier is None:
                return await self._withdraw(intent, Refusal.NEVER_POSTED)
            return await self._decided_and_claimed(intent, order, row)
        except UnsafeText:
            return await self._withdraw(intent, Refusal.TEXT_UNSAFE)

    async def _decided_and_claimed(
        self, intent: EffectIntent, order: SendOrder, row: LedgerRow
    ) -> EffectResult:
        """Decided again as long as others claim in a window that was counted."""
        for _ in range(CLAIMS):
            cleared = await self._cleared(intent, order, row)
            if isinstance(cleared, Refusal):
                return await self._withdraw(intent, cleared)
            redacted = await self._redacted(intent, order, cleared)
            claimed = await self._ledger.claim(intent, cleared)
            if not claimed.counters_moved:
                return await self._claimed(intent, redacted, claimed)
        raise _later(WindowBusy(), UNSAID_DELAY)

    async def _cleared(self, intent: EffectIntent, order: SendOrder, row: LedgerRow) -> Clearance | Refusal:
        """Waits for an engine that fails, and not for ever: then a person has the ticket."""
        try:
            if row.state is EffectState.CLAIMED:
                return await self._gate.clear_again(intent)
            return await self._gate.clear(intent, order.record_ids, row.as_of)
        except EngineUnavailable as error:
            if self._is_long_ago(row.claimed_at or row.intended_at):
                return Refusal.POLICY_UNAVAILABLE
            raise _later(error, UNSAID_DELAY) from error

    async def _claimed(self, intent: EffectIntent, order: SendOrder, row: LedgerRow) -> EffectResult:
        if row.taken_before:
            raise _later(DeliveryUncertain(), UNSAID_DELAY)  # another attempt is at it
        if row.state is not EffectState.CLAIMED:
            return _result(intent, row.state, row.refusal)
        return await self._send(intent, order, row)

    async def _again(self, intent: EffectIntent, row: LedgerRow) -> EffectResult:
        """An earlier attempt claimed it and did not say how it ended."""
        sender = self._sender(intent)
        try:
            order = await self._orders.make(intent)
        except UnsafeText:
            return await self._record(intent, EffectState.UNKNOWN)
        repeats = sender.idempotent and not self._is_long_ago(row.claimed_at)
        cleared = await self._cleared(intent, order, row)
        if isinstance(cleared, Refusal):
            return await self._read_back(intent, order, row) or await self._withdraw(intent, cleared)
        redacted = await self._redacted(intent, order, cleared)
        if repeats and await self._ledger.recheck(intent, cleared, sends=True) is None:
            return await self._send(intent, redacted, row)
        return await self._read_back(intent, redacted, row) or await self._not_there(
            intent, redacted, row, cleared
        )

    async def _not_there(
        self, intent: EffectIntent, order: SendOrder, row: LedgerRow, cleared: Clearance
    ) -> EffectResult:
        """Reading back takes its time, so everything is checked after it."""
        sends = not self._is_long_ago(row.claimed_at)
        refusal = await self._ledger.recheck(intent, cleared, sends=sends)
        if refusal is not None:
            return await self._withdraw(intent, refusal)
        return await (
            self._send_once_more(intent, order) if sends else self._record(intent, EffectState.FAILED)
        )

    async def _redacted(self, intent: EffectIntent, order: SendOrder, cleared: Clearance) -> SendOrder:
        """Without the personal data that policy asks to be taken out."""
        return await self._orders.make(intent, cleared.redact_fields) if cleared.redact_fields else order

    async def _read_back(self, intent: EffectIntent, order: SendOrder, row: LedgerRow) -> EffectResult | None:
        """None where it surely did not happen."""
        self._wait_until_settled(self._sender(intent), row)
        try:
            receipt = await self._sender(intent).find(order)
        except (DeliveryRefused, ProviderUnavailable, DeliveryUncertain) as error:
            return await self._not_readable(intent, row, error)
        return await self._confirm(intent, receipt) if receipt is not None else None

    async def _not_readable(self, intent: EffectIntent, row: LedgerRow, error: Exception) -> EffectResult:
        if isinstance(error, DeliveryRefused) or self._is_long_ago(row.claimed_at):
            return await self._record(intent, EffectState.UNKNOWN)
        raise _later(error, self._delay(error, self._sender(intent), row)) from error

    async def _send(self, intent: EffectIntent, order: SendOrder, row: LedgerRow) -> EffectResult:
        sender = self._sender(intent)
        try:
            receipt = await sender.send(order)
        except DeliveryRefused:
            return await self._record(intent, EffectState.FAILED)
        except (ProviderUnavailable, DeliveryUncertain) as error:
            raise _later(error, self._delay(error, sender, row)) from error
        return await self._confirm(intent, receipt)

    async def _send_once_more(self, intent: EffectIntent, order: SendOrder) -> EffectResult:
        """Without an idempotency key, and `unknown` until the answer is here.

        The ledger does not hold when a second request left, so a crash now must not lead to a third.
        """
        await self._record(intent, EffectState.UNKNOWN)
        try:
            receipt = await self._sender(intent).send(order)
        except (DeliveryRefused, ProviderUnavailable, DeliveryUncertain):
            return _result(intent, EffectState.UNKNOWN)
        return await self._record(intent, EffectState.CONFIRMED, receipt)

    async def _look_once_more(self, intent: EffectIntent) -> EffectResult:
        """What was unknown may be visible by now. If not, it stays a person's question."""
        try:
            receipt = await self._sender(intent).find(await self._orders.make(intent))
        except (DeliveryRefused, ProviderUnavailable, DeliveryUncertain, UnsafeText):
            return _result(intent, EffectState.UNKNOWN)
        if receipt is None:
            return _result(intent, EffectState.UNKNOWN)
        return await self._record(intent, EffectState.CONFIRMED, receipt)

    async def _confirm(self, intent: EffectIntent, receipt: Receipt) -> EffectResult:
        await self._ledger.record(intent, EffectState.SENT, receipt)
        return await self._record(intent, EffectState.CONFIRMED, receipt)

    async def _withdraw(self, intent: EffectIntent, refusal: Refusal) -> EffectResult:
        row = await self._ledger.record(intent, EffectState.WITHDRAWN, refusal=refusal)
        return _result(intent, row.state, refusal)

    async def _record(
        self, intent: EffectIntent, state: EffectState, receipt: Receipt | None = None
    ) -> EffectResult:
        row = await self._ledger.record(intent, state, receipt)
        return _result(intent, row.state, row.refusal)

    def _sender(self, intent: EffectIntent) -> Sender:
        return self._senders[intent.proposed.action.type]

    def _is_long_ago(self, since: datetime | None) -> bool:
        return since is not None and self._clock() - since > PATIENCE

    def _wait_until_settled(self, sender: Sender, row: LedgerRow) -> None:
        remaining = self._until_settled(sender, row)
        if remaining > timedelta():
            raise _later(DeliveryUncertain(), remaining)

    def _until_settled(self, sender: Sender, row: LedgerRow) -> timedelta:
        """Counted from the last request, not from the first: each may still be on its way."""
        tried_at = row.tried_at or row.claimed_at or self._clock()
        return tried_at + sender.settle_time - self._clock()

    def _delay(self, error: Exception, sender: Sender, row: LedgerRow) -> timedelta:
        """As long as the provider asks for and we have patience; else soon, or when reading back can tell."""
        if isinstance(error, ProviderUnavailable) and error.retry_after_s is not None:
            return timedelta(seconds=min(error.retry_after_s, PATIENCE.total_seconds()))
        return UNSAID_DELAY if sender.idempotent else max(self._until_settled(sender, row), UNSAID_DELAY)


def _later(error: Exception, delay: timedelta) -> ApplicationError:
    return ApplicationError(str(error), type=type(error).__name__, next_retry_delay=delay)


def _result(intent: EffectIntent, state: EffectState, refusal: Refusal | None = None) -> EffectResult:
    return EffectResult(
        key=intent.key,
        type=intent.proposed.action.type,
        state=state,
        refusal=refusal,
        input_digest=digest_of(intent),
    )
