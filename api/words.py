"""Codes as people say them. A code without a sentence is shown as its own words."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from adapters.postgres.queue import DUE_SOON, QueueLine, QueueView

VIEWS: Mapping[QueueView, str] = {
    QueueView.ALL: "All",
    QueueView.APPROVAL: "Waiting for approval",
    QueueView.OVERDUE: "Due or overdue",
    QueueView.MINE: "Held by me",
    QueueView.TEAMMATE: "With a teammate",
    QueueView.CUSTOMER: "Waiting for the customer",
    QueueView.UNKNOWN: "Unknown effects",
    QueueView.QUARANTINE: "Quarantined",
    QueueView.STOPPED: "Stopped",
    QueueView.STUCK: "Stuck deliveries",
}
STAGES = {
    "fetching": "Reading the ticket",
    "redacting": "Removing personal data",
    "triaging": "Finding out what it is about",
    "looking_up": "Looking up facts",
    "drafting": "Drafting an answer",
    "deciding": "Asking policy",
    "waiting_for_approval": "Waiting for approval",
    "performing": "Acting",
    "waiting_for_customer": "Answered",
    "handed_over": "Handed over",
    "settled": "Settled",
}
VERDICTS = {
    "allow": "allowed it",
    "sanitize": "allowed it without personal data",
    "approval_needed": "asked for a person's approval",
    "deny": "refused it",
}
ACTIONS = {
    "reply": "reply to the customer",
    "private_note": "private note for teammates",
    "set_status": "change of the ticket's status",
    "add_tags": "addition of tags",
    "refund": "refund",
    "slack_post": "message in Slack",
    "slack_update": "change of a message in Slack",
    "slack_ephemeral": "word to one person in Slack",
}
EFFECT_STATES = {
    "intended": "not sent yet",
    "claimed": "being sent",
    "sent": "sent, not yet confirmed",
    "confirmed": "done and confirmed",
    "failed": "refused by the other system",
    "unknown": "not known whether it happened: please look",
    "withdrawn": "withdrawn before it was sent",
    "compensated": "taken back",
    "settled": "settled by a person",
}
APPROVALS = {
    "pending": "waiting for an answer",
    "approved": "approved",
    "rejected": "rejected",
    "expired": "ended without an answer",
    "cancelled": "cancelled",
    "superseded": "taken back: another question took its place",
}
CLICKS = {
    "not_pending": "the question had been answered or had ended",
    "not_eligible": "not in a group that may answer",
    "stale_eligibility": "the vote came too late to be trusted",
    "card_changed": "the question had changed since it was shown",
    "expired": "the time to answer was over",
    "already_voted": "had voted already",
    "self_approval": "may not approve what they proposed themselves",
    "reason_missing": "a rejection needs a reason",
}
TIMEOUTS = {
    "wait": "nothing happens until somebody answers",
    "hand_over": "the ticket is handed to a teammate",
    "reject": "it counts as rejected",
}


def words(code: object) -> str:
    """A code as words."""
    return str(code).replace("_", " ").replace(".", " ")


def said(known: Mapping[str, str], code: str) -> str:
    """The code's sentence, or its words."""
    return known.get(code, words(code))


def sentence(text: str) -> str:
    """With a capital first."""
    return text[:1].upper() + text[1:]


def waiting_for(line: QueueLine, *, mine: bool) -> str:
    """What must happen next, and by whom."""
    if line.due is not None:
        return f"Approval by {listed(line.approver_groups)}"
    if line.owner == "teammate":
        if line.reason == "stopped":
            return "Nobody: stopped"
        return "You" if mine else "A teammate"
    if line.stage == "waiting_for_customer":
        return "The customer"
    if line.stage == "settled":
        return "Nobody"
    return "Automation"


def because(line: QueueLine) -> str:
    """Why the ticket is where it is; empty where its stage says so already."""
    return "" if line.reason in (None, "answered") else words(line.reason)


def urgency(line: QueueLine) -> str:
    """How the due time stands; empty where nothing is due."""
    if line.due is None:
        return ""
    if line.due <= line.now:
        return "overdue"
    return "soon" if line.due - line.now < DUE_SOON else "later"


def until(due: datetime, now: datetime) -> str:
    """`in 40 min`, `2 h ago`."""
    apart = abs(due - now)
    if apart < timedelta(hours=1):
        near = f"{int(apart.total_seconds()) // 60} min"
    elif apart < timedelta(days=2):
        near = f"{int(apart.total_seconds()) // 3600} h"
    else:
        near = f"{apart.days} days"
    return f"{near} ago" if due <= now else f"in {near}"


def listed(groups: tuple[str, ...]) -> str:
    """`approvers or leads`."""
    return " or ".join(words(group) for group in groups) or "nobody"
