"""What Slack messages say. Pure; placeholders are words here, never values."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from domain.action import Action, PrivateNote, ProposedAction, Refund, Reply
from domain.approval import ApprovalStatus
from domain.card import Card, CardField, CardKind
from domain.decision import PolicyDecision, Verdict
from domain.handoff import HandoffFacts, HandoffReason
from domain.model import ApprovalId, Code
from domain.placeholder import in_words

LONGEST_REQUEST = 1200
TICKET = "Ticket"

CLOSED_TITLES = {
    ApprovalStatus.PENDING: "Waiting",
    ApprovalStatus.APPROVED: "Approved",
    ApprovalStatus.REJECTED: "Rejected",
    ApprovalStatus.EXPIRED: "Expired, handed to the team",
    ApprovalStatus.CANCELLED: "Cancelled",
    ApprovalStatus.SUPERSEDED: "Changed, asked anew below",
}

REASON_SENTENCES = {
    HandoffReason.ASKED_FOR_HUMAN: "The customer asks for a person",
    HandoffReason.LEGAL_THREAT: "The customer mentions legal steps",
    HandoffReason.SUSPECTED_INJECTION: "The message tries to instruct the automation",
    HandoffReason.IDENTITY_IN_DOUBT: "It is not certain who writes",
    HandoffReason.UNSUPPORTED_LANGUAGE: "The message is in a language we do not answer by ourselves",
    HandoffReason.LOW_CONFIDENCE: "The answer found is not certain enough",
    HandoffReason.NOTHING_FOUND: "The knowledge base does not answer this",
    HandoffReason.POLICY_DENIED: "Policy does not allow the proposed action",
    HandoffReason.APPROVAL_REJECTED: "An approver said no",
    HandoffReason.APPROVAL_EXPIRED: "Nobody answered the approval in time",
    HandoffReason.APPROVAL_CANCELLED: "The approval could not be asked for or was cancelled",
    HandoffReason.EFFECT_WITHDRAWN: "An action was withdrawn before it was sent",
    HandoffReason.EFFECT_FAILED: "An action was refused by the system it was sent to",
    HandoffReason.EFFECT_UNKNOWN: "It is not known whether an action happened: please look",
    HandoffReason.QUARANTINED: "Personal data could not be removed for certain; no text is shown",
    HandoffReason.TOO_MANY_TURNS: "The conversation has taken too many turns",
    HandoffReason.TAKEN_OVER: "A teammate took it over",
    HandoffReason.LOOP_SUSPECTED: "Two systems seem to answer each other",
    HandoffReason.ASSIST_MODE: "A suggested reply waits as a private note",
    HandoffReason.ERROR: "Something broke; operators find details in the log",
}


def approval_card(  # noqa: PLR0913 - what is shown, one by one
    *,
    id_: ApprovalId,
    tenant: str,
    proposed: ProposedAction,
    decision: PolicyDecision,
    request: str,
    reply: str,
    order: str,
    number: str,
    revision: int = 1,
) -> Card:
    """The question, with everything a yes is bound to."""
    fields = [*_ticket(number), CardField(label="Why a person decides", value=why(decision))]
    if order:
        fields.append(CardField(label="Order", value=order))
    return Card(
        kind=CardKind.APPROVAL,
        title=f"{title_of(proposed.action)}?",
        body=shortened(in_words(request)),
        quote=in_words(reply),
        fields=tuple(fields),
        footer="Nothing is sent before a person answers.",
        approval_id=id_,
        tenant=tenant,
        revision=revision,
        digest=proposed.digest,
    )


def closed_card(asked: Card, status: ApprovalStatus, reason: str) -> Card:
    """The answered question: the same facts, no buttons."""
    said = (CardField(label="Reason", value=shortened(in_words(reason))),) if reason else ()
    return Card(
        kind=CardKind.CLOSED,
        title=f"{CLOSED_TITLES[status]}: {asked.title.rstrip('?')}",
        body=asked.body,
        quote=asked.quote,
        fields=(*asked.fields, *said),
        approval_id=asked.approval_id,
        tenant=asked.tenant,
        revision=asked.revision,
        digest=asked.digest,
    )


def reminder_card(asked: Card, groups: Sequence[Code], due: datetime | None) -> Card:
    """A line into the question's thread."""
    ticket = next((f"Ticket {field.value}. " for field in asked.fields if field.label == TICKET), "")
    until = f" until {due:%Y-%m-%d %H:%M} UTC" if due else ""
    people = ", ".join(words(group) for group in groups)
    return Card(
        kind=CardKind.NOTICE,
        title=f"Still waiting: {asked.title}",
        body=f"{ticket}It can be answered by {people}{until}.",
        tenant=asked.tenant,
    )


def handoff_card(facts: HandoffFacts, request: str, number: str) -> Card:
    """A ticket that needs a teammate. The whole story is in the ticket's private note."""
    stopped = [decision for decision in facts.decisions if decision.verdict is not Verdict.ALLOW]
    fields = [*_ticket(number), *(CardField(label="Decision", value=why(one)) for one in stopped)]
    if facts.triage is not None:
        fields.append(CardField(label="Queue", value=words(facts.triage.queue)))
    return Card(
        kind=CardKind.HANDOFF,
        title="A ticket needs you",
        body=REASON_SENTENCES[facts.reason],
        quote=shortened(in_words(request)),
        fields=tuple(fields),
        footer="The private note in the ticket has the whole story.",
        tenant=str(facts.ticket.tenant_id),
    )


def _ticket(number: str) -> Iterator[CardField]:
    """The helpdesk's own number, by which people find it; none before the helpdesk was first read."""
    if number:
        yield CardField(label=TICKET, value=number)


def title_of(action: Action) -> str:
    """The action as a person says it."""
    match action:
        case Refund():
            return f"Refund {action.amount}"
        case Reply():
            return "Send this reply"
        case PrivateNote():
            return "Add this private note"
        case _:
            return words(action.type).capitalize()


def why(decision: PolicyDecision) -> str:
    """What was decided about which action, with the exact rules."""
    about = f"{words(decision.action).capitalize()}: " if decision.action else ""
    rules = ", ".join(f"{reason.rule} ({words(reason.code)})" for reason in decision.reasons)
    return f"{about}{words(decision.verdict)} by {rules or 'no rule named'}"


def words(code: str) -> str:
    """A code as words."""
    return code.replace("_", " ").replace(".", " ")


def shortened(text: str) -> str:
    """For a card; the ticket has the rest."""
    return text if len(text) <= LONGEST_REQUEST else text[:LONGEST_REQUEST].rstrip() + " …"
