"""The bundle of a refund that was decided, approved, claimed, sent and confirmed."""

import json
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from google.protobuf.json_format import MessageToDict
from sqlalchemy.dialects.postgresql import insert
from temporalio.api.common.v1 import Payload

from adapters.audit.bundle import BundleMaker
from adapters.history_text import digest_of_text
from adapters.postgres.artifacts import PostgresArtifacts
from adapters.postgres.policies import PolicyStore
from adapters.postgres.tables import audit_events
from adapters.postgres.ticket_evidence import TicketEvidence
from adapters.temporal_codec import KeyRing, TenantCodec
from domain.decision import Verdict
from domain.effect import EffectState, Receipt
from domain.history import RecordedRun
from domain.ports import ArtifactKind
from domain.ticket import TicketRef
from tests.adapters.audit.chained import SIGNER, happen, seal
from tests.adapters.postgres import story as stories
from tests.adapters.postgres.story import Story

STARTED_AT = datetime(2026, 11, 24, tzinfo=UTC)
PUBLISHED = '{"refund":{}}'
CLASSIFIER = "sha256:" + "c" * 64


@dataclass
class KeptHistories:
    """The port, with one run."""

    history: str

    async def runs_of(self, ticket: TicketRef) -> Sequence[RecordedRun]:
        return [RecordedRun(f"ticket:{ticket.tenant_id}:{ticket.route}", "run-1", STARTED_AT, self.history)]


async def a_history(story: Story) -> str:
    """One event whose payload is encrypted as Temporal has it, and one of the SDK's own."""
    codec = TenantCodec(KeyRing(story.keys), story.ticket.tenant_id)
    content = json.dumps({"triage": {"classifier": CLASSIFIER}}).encode()
    sealed = (await codec.encode([Payload(metadata={"encoding": b"json/plain"}, data=content)]))[0]
    own = {
        "metadata": {"encoding": b64encode(b"json/plain").decode()},
        "data": b64encode(b'{"activity_type":"triage"}').decode(),
    }
    events = [{"result": {"payloads": [MessageToDict(sealed)]}}, {"details": {"payloads": [own]}}]
    return json.dumps({"events": events}, sort_keys=True)


async def refunded(story: Story) -> None:
    """The whole way of one refund, as the workflow would have gone it, and an event beside it."""
    tenant_id = story.ticket.tenant_id
    await PolicyStore(story.databases.app).keep(tenant_id, stories.POLICY, PUBLISHED)
    texts = PostgresArtifacts(story.databases.app, story.keys)
    await texts.put(story.ticket, ArtifactKind.RAW, b"Ada Lovelace wants her money back")
    await texts.put(story.ticket, ArtifactKind.CONVERSATION, b"[[PERSON_1_k7]] wants her money back")
    decision = await story.decided(Verdict.APPROVAL_NEEDED)
    request = await story.approved(decision)
    intent = await story.intended(decision, approval=request.approval_id)
    await story.claim(intent)
    await story.ledger.record(intent, EffectState.SENT)
    receipt = Receipt(external_id="refund_1", received_at=stories.now())
    await story.ledger.record(intent, EffectState.CONFIRMED, receipt)
    await happen(story.databases, tenant_id, 1)
    await seal(story.databases)


async def archive(story: Story, history: str) -> None:
    """Says in the chain what was archived, as the archiver does."""
    run = {
        "workflow": f"ticket:{story.ticket.tenant_id}:{story.ticket.route}",
        "run": "run-1",
        "ticket_id": str(story.ticket.ticket_id),
        "digest": digest_of_text(history),
    }
    added = insert(audit_events).values(
        tenant_id=story.ticket.tenant_id, kind="history_archived", content=run
    )
    async with story.databases.app.transaction(story.ticket.tenant_id) as session:
        await session.execute(added.inline())


def a_maker(story: Story, history: str) -> BundleMaker:
    databases = story.databases
    return BundleMaker(
        TicketEvidence(databases.app, databases.sealer),
        PostgresArtifacts(databases.app, story.keys),
        KeptHistories(history),
        story.keys,
        SIGNER,
    )
