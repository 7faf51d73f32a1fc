"""What a candidate was put to."""

from datetime import datetime, timedelta

from domain.decision import PolicyDecision, Reason, Verdict
from domain.observation import Difference, Observation
from domain.ticket import TicketRef
from tests.adapters.postgres.story import now

CANDIDATE = "sha256:" + "c" * 64
FILE = "sha256:" + "f" * 64


def a_difference(decision: PolicyDecision, ticket: TicketRef, rule: str = "refunds_by_amount") -> Difference:
    return Difference(
        decision_id=decision.decision_id,
        active=decision.policy_version,
        ticket_id=ticket.ticket_id,
        action_type="refund",
        verdict=decision.verdict,
        candidate_verdict=Verdict.DENY,
        rules=(rule,),
        must_hold=(rule,),
        reasons=(Reason(rule=rule, code="over_limit"),),
    )


def an_observation(
    *made: PolicyDecision | TicketRef,
    decisions: int = 3,
    began_at: datetime | None = None,
    candidate: str = CANDIDATE,
    unknown: int = 0,
) -> Observation:
    """Decisions about the ticket, which comes last, each of which the candidate would refuse."""
    *differing, ticket = made
    assert isinstance(ticket, TicketRef)
    return Observation(
        tenant_id=ticket.tenant_id,
        candidate=candidate,
        files=(FILE,),
        decisions=decisions,
        unknown=unknown,
        began_at=began_at or now() - timedelta(hours=5),
        differences=tuple(
            a_difference(each, ticket) for each in differing if isinstance(each, PolicyDecision)
        ),
    )
