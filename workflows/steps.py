"""One call per step: which activity, with what, under which time-outs. Summaries are constant words."""

from temporalio import workflow

from activities.approvals import ApprovalActivities, ComposeCardInput, ComposedCard
from activities.drafting import AcknowledgeInput, DraftingActivities, DraftInput
from activities.effects import EffectActivities, PerformInput
from activities.facts import FactActivities, LookUpInput
from activities.handoff import HandoffActivities, PreparedHandoff
from activities.intake import Fetched, FetchInput, IntakeActivities, RedactInput
from activities.learning import LearningActivities, LearnInput
from activities.policy import PolicyActivities
from activities.policy_input import DecideInput
from activities.retrieval import RetrievalActivities, RetrieveInput
from activities.settlement import SettleInput, SettlementActivities
from activities.triage import TriageActivities, TriageInput
from domain.action import ProposedAction
from domain.decision import PolicyDecision
from domain.draft import Draft
from domain.effect import EffectIntent, EffectResult
from domain.fact import Facts
from domain.handoff import HandoffFacts
from domain.knowledge import Retrieved
from domain.model import ArtifactRef
from domain.ticket import TicketRef
from domain.triage import Triage
from workflows.activity_options import EFFECT, LOCAL_STEP, NETWORK_READ, REDACTION
from workflows.turn import Turn


async def fetch(ticket: TicketRef) -> Fetched:
    """The ticket as it is now."""
    return await workflow.execute_activity_method(
        IntakeActivities.fetch, FetchInput(ticket=ticket), summary="Read the ticket", **NETWORK_READ
    )


async def redact(ticket: TicketRef, raw: ArtifactRef) -> ArtifactRef:
    """The redacted conversation."""
    redacted = await workflow.execute_local_activity_method(
        IntakeActivities.redact, RedactInput(ticket=ticket, raw=raw), summary="Redact", **REDACTION
    )
    return redacted.conversation


async def triage(ticket: TicketRef, conversation: ArtifactRef) -> Triage:
    """What it is about."""
    asked = TriageInput(ticket=ticket, conversation=conversation)
    triaged = await workflow.execute_local_activity_method(
        TriageActivities.triage, asked, summary="Triage", **LOCAL_STEP
    )
    return triaged.triage


async def look_up(ticket: TicketRef, conversation: ArtifactRef) -> Facts:
    """What the tenant's systems know."""
    asked = LookUpInput(ticket=ticket, conversation=conversation)
    return await workflow.execute_activity_method(
        FactActivities.look_up, asked, summary="Look up facts", **NETWORK_READ
    )


async def retrieve(ticket: TicketRef, conversation: ArtifactRef) -> Retrieved:
    """What the tenant's knowledge says."""
    asked = RetrieveInput(ticket=ticket, conversation=conversation)
    return await workflow.execute_local_activity_method(
        RetrievalActivities.retrieve, asked, summary="Search knowledge", **LOCAL_STEP
    )


async def draft(asked: DraftInput) -> Draft:
    """A reply, or why there is none."""
    return await workflow.execute_local_activity_method(
        DraftingActivities.draft, asked, summary="Draft", **LOCAL_STEP
    )


async def acknowledge(turn: Turn) -> ArtifactRef:
    """The tenant's word for customers who wait."""
    asked = AcknowledgeInput(ticket=turn.ticket, conversation=turn.conversation)
    written = await workflow.execute_local_activity_method(
        DraftingActivities.acknowledge, asked, summary="Write an acknowledgement", **LOCAL_STEP
    )
    return written.text


async def decide(turn: Turn, actions: tuple[ProposedAction, ...]) -> tuple[PolicyDecision, ...]:
    """Policy's answer to each action; the turn remembers them all."""
    asked = DecideInput(
        ticket=turn.ticket,
        turn=turn.number,
        mode=turn.settings.mode,
        owner=turn.owner,
        actions=actions,
        triage=turn.triage,
        facts=turn.facts,
    )
    decided = await workflow.execute_local_activity_method(
        PolicyActivities.decide, asked, summary="Decide", **LOCAL_STEP
    )
    return decided.decisions


async def compose_card(asked: ComposeCardInput) -> ComposedCard:
    """The question, as approvers will see it."""
    return await workflow.execute_local_activity_method(
        ApprovalActivities.compose_card, asked, summary="Draw the approval card", **LOCAL_STEP
    )


async def perform(intent: EffectIntent) -> EffectResult:
    """One effect by itself."""
    return await workflow.execute_activity_method(
        EffectActivities.perform, intent, summary="Perform", **EFFECT
    )


async def perform_in_order(intents: tuple[EffectIntent, ...]) -> tuple[EffectResult, ...]:
    """Each only after the one before."""
    performed = await workflow.execute_activity_method(
        EffectActivities.perform_in_order, PerformInput(intents=intents), summary="Answer", **EFFECT
    )
    return performed.effects


async def perform_each(intents: tuple[EffectIntent, ...]) -> tuple[EffectResult, ...]:
    """None waits for another."""
    performed = await workflow.execute_activity_method(
        EffectActivities.perform_each, PerformInput(intents=intents), summary="Tell the team", **EFFECT
    )
    return performed.effects


async def prepare_handoff(told: HandoffFacts) -> PreparedHandoff:
    """The whole story, and the ticket in the team's hands."""
    return await workflow.execute_local_activity_method(
        HandoffActivities.prepare, told, summary="Prepare the handoff", **LOCAL_STEP
    )


async def learn(ticket: TicketRef, raw: ArtifactRef) -> None:
    """How a teammate changed the draft that was left for them."""
    await workflow.execute_local_activity_method(
        LearningActivities.learn,
        LearnInput(ticket=ticket, raw=raw),
        summary="Learn from the edit",
        **REDACTION,
    )


async def settle(ended: SettleInput) -> None:
    """How it ended."""
    await workflow.execute_local_activity_method(
        SettlementActivities.settle, ended, summary="Settle", **LOCAL_STEP
    )
