"""The `Ledger` port: intents as `app`, everything after them as `egress`, arrows held by the database."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import func, select, text
from sqlalchemy.dialects.postgresql import insert

from adapters.postgres.session import Database
from adapters.postgres.tables import effects
from domain.effect import Clearance, EffectIntent, EffectState, LedgerRow, Receipt, Refusal
from domain.errors import EffectConflict
from domain.model import EffectKey
from domain.ticket import TicketRef

ARGUMENTS = ":tenant, :key, :ticket, :type, :digest, :decision, :approval, :epoch"
CLAIM = text(f"select * from claim_effect({ARGUMENTS}, :gate, :left, :read_at)")  # noqa: S608 - our own constant
RECHECK = text(f"select recheck_effect({ARGUMENTS}, :gate, :sends) as refusal")
COUNTERS_MOVED = "counters_moved"
RECORD = text("select * from record_effect(:tenant, :key, :state, :receipt, :received, :refusal)")

KEPT = (
    effects.c.state,
    effects.c.digest,
    effects.c.refusal,
    effects.c.claimed_at,
    effects.c.receipt_id,
    effects.c.received_at,
    effects.c.moved_at,
    effects.c.intended_at,
    func.clock_timestamp().label("as_of"),
)


class PostgresLedger:
    """Two databases of one cluster: the same one, as two roles."""

    def __init__(self, app: Database, egress: Database) -> None:
        self._app = app
        self._egress = egress

    async def intend(self, intent: EffectIntent) -> LedgerRow:
        """Inserts unless it is there. Raises `EffectConflict` on another digest."""
        known = select(*KEPT).where(
            effects.c.tenant_id == intent.ticket.tenant_id, effects.c.id == intent.key
        )
        async with self._app.transaction(intent.ticket.tenant_id) as session:
            addition = insert(effects).values(_values(intent)).on_conflict_do_nothing().returning(*KEPT)
            row = (await session.execute(addition)).mappings().first()
            kept = row or (await session.execute(known)).mappings().one()
        return _row(intent, dict(kept))

    async def claim(self, intent: EffectIntent, clearance: Clearance) -> LedgerRow:
        """One READ COMMITTED transaction in one round trip; see the fence in `migrations/`."""
        asked = claim_arguments(intent, clearance)
        row = dict((await self._egress.call(CLAIM, asked))[0])
        moved = row["refusal"] == COUNTERS_MOVED
        kept = _row(intent, row | {"refusal": None} if moved else row)
        return kept.model_copy(update={"taken_before": row["taken_before"], "counters_moved": moved})

    async def recheck(self, intent: EffectIntent, clearance: Clearance, *, sends: bool) -> Refusal | None:
        """The claim's checks again; with `sends` the row remembers that a request may leave now."""
        asked = _arguments(intent) | {"gate": clearance.decision_id, "sends": sends}
        refusal = (await self._egress.call(RECHECK, asked))[0]["refusal"]
        return Refusal(refusal) if refusal else None

    async def record(
        self,
        intent: EffectIntent,
        state: EffectState,
        receipt: Receipt | None = None,
        refusal: Refusal | None = None,
    ) -> LedgerRow:
        """Moves a row along one arrow; a state it already has changes nothing."""
        values = {
            "tenant": intent.ticket.tenant_id,
            "key": intent.key,
            "state": state,
            "receipt": receipt.external_id if receipt else None,
            "received": receipt.received_at if receipt else None,
            "refusal": refusal,
        }
        return _row(intent, dict((await self._egress.call(RECORD, values))[0]))

    async def receipt(self, ticket: TicketRef, key: EffectKey) -> Receipt | None:
        """What an earlier effect's provider answered."""
        query = select(effects.c.receipt_id, effects.c.received_at).where(
            effects.c.tenant_id == ticket.tenant_id,
            effects.c.id == key,
            effects.c.ticket_id == ticket.ticket_id,
        )
        async with self._app.transaction(ticket.tenant_id) as session:
            row = (await session.execute(query)).mappings().first()
        return _receipt(dict(row)) if row else None


def _values(intent: EffectIntent) -> dict[str, Any]:
    return {
        "tenant_id": intent.ticket.tenant_id,
        "id": intent.key,
        "ticket_id": intent.ticket.ticket_id,
        "type": intent.proposed.action.type,
        "digest": intent.digest,
        "proposed": intent.proposed.model_dump(mode="json", exclude_none=True),
        "decision_id": intent.decision_id,
        "approval_id": intent.approval_id,
        "owner_epoch": intent.owner_epoch,
        "turn": intent.turn,
        "customer": intent.customer,
    }


def _arguments(intent: EffectIntent) -> dict[str, Any]:
    return {
        "tenant": intent.ticket.tenant_id,
        "key": intent.key,
        "ticket": intent.ticket.ticket_id,
        "type": intent.proposed.action.type,
        "digest": intent.digest,
        "decision": intent.decision_id,
        "approval": intent.approval_id,
        "epoch": intent.owner_epoch,
    }


def claim_arguments(intent: EffectIntent, clearance: Clearance) -> dict[str, Any]:
    """Of the database's `claim_effect`."""
    left = clearance.left
    return _arguments(intent) | {
        "gate": clearance.decision_id,
        "left": left.minor_units if left else None,
        "read_at": clearance.read_at,
    }


def _row(intent: EffectIntent, row: Mapping[str, Any]) -> LedgerRow:
    if row["digest"] != intent.digest:
        raise EffectConflict(intent.key)
    return LedgerRow(
        key=intent.key,
        state=EffectState(row["state"]),
        digest=row["digest"],
        claimed_at=row["claimed_at"],
        tried_at=row.get("moved_at"),
        receipt=_receipt(row),
        refusal=Refusal(row["refusal"]) if row["refusal"] else None,
        intended_at=row.get("intended_at"),
        as_of=row.get("as_of"),
    )


def _receipt(row: Mapping[str, Any]) -> Receipt | None:
    if row["receipt_id"] is None:
        return None
    return Receipt(external_id=row["receipt_id"], received_at=row["received_at"])
