"""What the linter can say: stable codes, how bad each is, and where it was seen."""

from enum import StrEnum
from typing import NamedTuple

from adapters.policy.bundle import Level


class Severity(StrEnum):
    """An error is refused when a policy is published; a warning is for who reviews it."""

    ERROR = "error"
    WARNING = "warning"


class FindingCode(StrEnum):
    """Stable: scripts may name them."""

    NEVER_TRUE = "never_true"
    UNREACHABLE = "unreachable"
    CONTRADICTORY = "contradictory"
    DUPLICATE = "duplicate"
    OVERLAPPING = "overlapping"
    MUST_HOLD_NEVER_DECIDES = "must_hold_never_decides"
    WORD_UNKNOWN = "word_unknown"
    ARGUMENT_OF_OTHER_ACTION = "argument_of_other_action"
    DEFAULT_MISSING = "default_missing"
    GRANTS_NOTHING = "grants_nothing"
    ORGANISATION_GRANTS_NOTHING = "organisation_grants_nothing"
    NOT_GRANTED_ABOVE = "not_granted_above"
    ACTION_UNUSED = "action_unused"
    ACTION_NOT_GRANTED = "action_not_granted"
    ACTION_UNKNOWN = "action_unknown"
    ARGUMENTS_NEVER_FIT = "arguments_never_fit"
    BAND_NOT_GRANTED = "band_not_granted"
    FACT_UNUSED = "fact_unused"
    EMPTY_ALLOWLIST = "empty_allowlist"
    EMPTY_LIST = "empty_list"
    HOURS_NEVER_OPEN = "hours_never_open"
    REDACTS_UNKNOWN_KIND = "redacts_unknown_kind"
    AMOUNT_UNKNOWN = "amount_unknown"
    WINDOW_WITHOUT_AMOUNT = "window_without_amount"
    CURRENCY_GAP = "currency_gap"
    LIMIT_ZERO = "limit_zero"
    APPROVAL_TERMS_MISSING = "approval_terms_missing"
    APPROVERS_NOT_COMMON = "approvers_not_common"
    RULE_APPROVERS_NOT_COMMON = "rule_approvers_not_common"
    LADDER_AFTER_EXPIRY = "ladder_after_expiry"
    LADDER_ADDS_NOBODY = "ladder_adds_nobody"
    REMINDER_AFTER_EXPIRY = "reminder_after_expiry"
    APPROVER_GROUP_EMPTY = "approver_group_empty"
    QUORUM_TOO_HIGH = "quorum_too_high"
    AGENT_UNKNOWN = "agent_unknown"
    AGENT_PARENT_UNKNOWN = "agent_parent_unknown"
    AGENT_CHAIN_CYCLIC = "agent_chain_cyclic"
    AGENT_CHAIN_TOO_DEEP = "agent_chain_too_deep"
    AGENT_WIDENS = "agent_widens"
    AGENT_SCOPE_WIDENS = "agent_scope_widens"
    AGENT_NOT_IN_LEVEL = "agent_not_in_level"


ERRORS = frozenset(
    {
        FindingCode.NEVER_TRUE,
        FindingCode.CONTRADICTORY,
        FindingCode.MUST_HOLD_NEVER_DECIDES,
        FindingCode.WORD_UNKNOWN,
        FindingCode.ORGANISATION_GRANTS_NOTHING,
        FindingCode.ACTION_UNKNOWN,
        FindingCode.ARGUMENTS_NEVER_FIT,
        FindingCode.EMPTY_ALLOWLIST,
        FindingCode.HOURS_NEVER_OPEN,
        FindingCode.REDACTS_UNKNOWN_KIND,
        FindingCode.AMOUNT_UNKNOWN,
        FindingCode.APPROVAL_TERMS_MISSING,
        FindingCode.APPROVERS_NOT_COMMON,
        FindingCode.APPROVER_GROUP_EMPTY,
        FindingCode.QUORUM_TOO_HIGH,
        FindingCode.AGENT_UNKNOWN,
        FindingCode.AGENT_PARENT_UNKNOWN,
        FindingCode.AGENT_CHAIN_CYCLIC,
        FindingCode.AGENT_CHAIN_TOO_DEEP,
        FindingCode.AGENT_WIDENS,
    }
)


class Finding(NamedTuple):
    """One thing that is wrong or odd, in words."""

    code: FindingCode
    level: Level
    rule: str | None
    sentence: str
    suggestion: str
    place: tuple[int | str, ...]  # in the level's file

    @property
    def severity(self) -> Severity:
        """By its code."""
        return Severity.ERROR if self.code in ERRORS else Severity.WARNING
