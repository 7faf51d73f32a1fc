"""Decisions as a policy made them at the time, with what came of them."""

import json
from uuid import uuid4

from pydantic import JsonValue

from adapters.active_policies import ActivePolicies
from adapters.keys import EnvelopeKeys
from adapters.policy.effective import Effective, effective
from adapters.policy.published import read_published
from adapters.postgres.directory import Directory, DirectoryKind
from adapters.postgres.policies import PolicyStore
from adapters.postgres.tenant_registry import TenantRegistry
from adapters.regorus import RegorusEngine
from domain.approval import ApprovalStatus
from domain.decision import PolicyDecision, PolicyInput, decision_id
from domain.effect import EffectState, Receipt
from domain.model import digest_of
from domain.ticket import TicketRef
from tests.adapters.policy_inputs import as_input, refund
from tests.adapters.postgres.story import Story, a_refund, now
from tests.conftest import Databases

Document = dict[str, JsonValue]


async def a_story(databases: Databases, registry: TenantRegistry, keys: EnvelopeKeys, tenant: str) -> Story:
    """Of a new ticket of the tenant that has this name."""
    tenant_id = await Directory(databases.app).tenant_of(DirectoryKind.NAME, tenant)
    assert tenant_id is not None
    return Story(databases, registry, keys, TicketRef(tenant_id=tenant_id, route=uuid4().hex))


async def policy_of(story: Story) -> Effective:
    """The one in force, kept as what decides is kept."""
    store, tenant_id = PolicyStore(story.databases.app), story.ticket.tenant_id
    versions = (await store.pointers(tenant_id, "support_agent")).active
    contents = await store.contents(tenant_id, versions)
    policy = effective({level: read_published(content) for level, content in contents.items()})
    assert (await ActivePolicies(store).active(tenant_id)).version == policy.version
    return policy


async def decided(
    story: Story, policy: Effective, document: Document, turn: int = 0, named: str | None = None
) -> PolicyDecision:
    """Decides and records it as the worker does; `named` is a version that decided otherwise."""
    version = named or policy.version
    input_ = input_of(story, document, turn)
    answer = RegorusEngine(policy).decide(input_)
    decision = PolicyDecision(
        decision_id=decision_id(story.ticket.ticket_id, turn, 0, digest_of(input_), version),
        verdict=answer.verdict,
        reasons=answer.reasons,
        obligations=answer.obligations,
        policy_version=version,
        action_digest=input_.action.digest,
        input_digest=digest_of(input_),
    )
    await story.decisions.record([(decision, input_, answer)], latency_us=300)
    return decision


def input_of(story: Story, document: Document, turn: int) -> PolicyInput:
    """The document, about the story's ticket."""
    named = json.loads(json.dumps(document))
    named |= {"tenant_id": str(story.ticket.tenant_id), "ticket_id": str(story.ticket.ticket_id)}
    named["ticket"]["turn"] = turn
    return as_input(named)


def a_large_refund(minor_units: int = 12000) -> Document:
    """Of a whole delivered order."""
    document = refund(minor_units)
    proposed = a_refund(minor_units)
    amount: JsonValue = {"minor_units": minor_units, "currency": "EUR"}
    document["order"] |= {"total": amount, "refundable": amount}  # type: ignore[operator]  # a mapping
    document["action"] |= {"digest": proposed.digest}  # type: ignore[operator]  # a mapping
    return document


async def approved_and_paid(story: Story, decision: PolicyDecision, minor_units: int = 12000) -> None:
    """One person says yes, and the money arrives."""
    proposed = a_refund(minor_units)
    request = await story.asked(decision, proposed)
    await story.voted(request, await story.approver())
    intent = await story.intended(decision, proposed, approval=request.approval_id)
    await story.approvals.close(story.ticket, request.approval_id, ApprovalStatus.APPROVED)
    await story.claim(intent)
    receipt = Receipt(external_id="re_1003", received_at=now())
    await story.ledger.record(intent, EffectState.SENT, receipt)
    await story.ledger.record(intent, EffectState.CONFIRMED)
