"""Approvals and agents: for each code a policy that shows it, and a neighbour that does not."""

from adapters.policy.lint import FindingCode
from tests.adapters.policy.deciding import policy
from tests.adapters.policy.writing import (
    ANY,
    ASKS,
    ASKS_BUYER,
    REPLIES,
    Case,
    agents,
    approval,
    child,
    climbing,
    on,
    tenant,
    under,
)

C = FindingCode

PEOPLE_CASES: dict[FindingCode, Case] = {
    C.APPROVAL_TERMS_MISSING: Case(
        tenant([REPLIES, ASKS], approval=None),
        tenant([REPLIES, {"when": on("reply"), "require_approval": approval("approvers")}], approval=None),
    ),
    C.APPROVERS_NOT_COMMON: Case(
        under(policy([ANY], approval=approval("compliance")), policy([REPLIES])),
        under(
            policy([ANY], approval=approval("compliance", "approvers")), policy([REPLIES])
        ),
    ),
    C.RULE_APPROVERS_NOT_COMMON: Case(
        tenant([{**REPLIES, "require_approval": approval("leads")}]),
        tenant([{**REPLIES, "require_approval": approval("leads", "approvers")}]),
    ),
    C.LADDER_AFTER_EXPIRY: Case(
        tenant([REPLIES], approval=climbing("2h", "leads")),
        tenant([REPLIES], approval=climbing("119min", "leads")),
    ),
    C.LADDER_ADDS_NOBODY: Case(
        tenant([REPLIES], approval=climbing("1h", "approvers")),
        tenant([REPLIES], approval=climbing("1h", "leads")),
    ),
    C.REMINDER_AFTER_EXPIRY: Case(
        tenant([REPLIES], approval=approval("approvers", expires_in="2h", remind_every="2h")),
        tenant([REPLIES], approval=approval("approvers", expires_in="2h", remind_every="119min")),
    ),
    C.APPROVER_GROUP_EMPTY: Case(
        tenant([REPLIES], approval=approval("approvers", "nobody")),
        tenant([REPLIES], approval=approval("approvers", "leads")),
    ),
    C.QUORUM_TOO_HIGH: Case(
        tenant([REPLIES], approval=approval("approvers", "leads", quorum=4)),
        tenant([REPLIES], approval=approval("approvers", "leads", quorum=3)),
    ),
    C.AGENT_UNKNOWN: Case(
        tenant([REPLIES, ASKS_BUYER], agents=agents(support_agent="execute")),
        tenant([REPLIES, ASKS_BUYER], agents=agents(buyer="execute")),
    ),
    C.AGENT_PARENT_UNKNOWN: Case(
        tenant([REPLIES], agents=agents(buyer=child("draft", "lead"))),
        tenant([REPLIES], agents=agents(lead="draft", buyer=child("draft", "lead"))),
    ),
    C.AGENT_CHAIN_CYCLIC: Case(
        tenant([REPLIES], agents=agents(lead=child("draft", "buyer"), buyer=child("draft", "lead"))),
        tenant([REPLIES], agents=agents(lead="draft", buyer=child("draft", "lead"))),
    ),
    C.AGENT_CHAIN_TOO_DEEP: Case(
        tenant([REPLIES], max_chain=1, agents=agents(lead="draft", buyer=child("draft", "lead"))),
        tenant([REPLIES], max_chain=2, agents=agents(lead="draft", buyer=child("draft", "lead"))),
    ),
    C.AGENT_WIDENS: Case(
        tenant([REPLIES], agents=agents(lead="draft", buyer=child("execute", "lead"))),
        tenant([REPLIES], agents=agents(lead="execute", buyer=child("draft", "lead"))),
    ),
    C.AGENT_SCOPE_WIDENS: Case(
        tenant(
            [REPLIES],
            agents=agents(
                lead={"permission_level": "draft", "actions": ["reply"]},
                buyer=child("draft", "lead", actions=["reply", "refund"]),
            ),
        ),
        tenant(
            [REPLIES],
            agents=agents(
                lead={"permission_level": "draft", "actions": ["reply", "refund"]},
                buyer=child("draft", "lead", actions=["reply"]),
            ),
        ),
    ),
    C.AGENT_NOT_IN_LEVEL: Case(
        under(
            policy([ANY], agents=agents(lead="execute")),
            policy([REPLIES], agents=agents(lead="execute", buyer="execute")),
        ),
        under(
            policy([ANY], agents=agents(lead="execute", buyer="execute")),
            policy([REPLIES], agents=agents(lead="execute", buyer="execute")),
        ),
    ),
}  # fmt: skip
