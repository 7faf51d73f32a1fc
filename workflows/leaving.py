"""What a decision lets out without asking anybody."""

from temporalio import workflow

from domain.decision import PolicyDecision, Verdict

SANITIZED_ACTIONS_LEAVE = "sanitized_actions_leave"


def may_leave(decision: PolicyDecision) -> bool:
    """Allowed, perhaps without some personal data, which sending takes out."""
    match decision.verdict:
        case Verdict.ALLOW:
            return True
        case Verdict.SANITIZE:
            return workflow.patched(SANITIZED_ACTIONS_LEAVE)
        case _:
            return False
