"""For each code of the linter a policy that shows it, and a neighbour that does not."""

from adapters.policy.lint import FindingCode
from tests.adapters.policy.deciding import policy
from tests.adapters.policy.linted_people import PEOPLE_CASES
from tests.adapters.policy.writing import (
    ANY,
    ASKS,
    CREDIT,
    EUR,
    NONE,
    NOTES,
    OF_C1,
    REPLIES,
    WRITE_OFF,
    Case,
    asked_in,
    denied,
    field,
    on,
    tenant,
    turns,
    under,
)

C = FindingCode

CASES: dict[FindingCode, Case] = {
    **PEOPLE_CASES,
    C.NEVER_TRUE: Case(
        tenant([REPLIES, denied(turns(3, 3))]),
        tenant([REPLIES, denied(turns(2, 3))]),
    ),
    C.UNREACHABLE: Case(
        tenant(
            [
                {"when": on("reply", if_=field("ticket.queue", equals="vip")), "require_approval": {}},
                {"when": on("reply", "refund"), "deny": True},
            ]
        ),
        tenant(
            [
                {"when": on("reply", "add_tags"), "allow": True},
                {"when": on("reply", "refund"), "deny": True},
            ]
        ),
    ),
    C.CONTRADICTORY: Case(
        tenant([REPLIES, {"when": on("reply"), "deny": True}]),
        tenant([REPLIES, {"when": on("reply", if_=field("ticket.queue", equals="vip")), "deny": True}]),
    ),
    C.DUPLICATE: Case(
        tenant([REPLIES, {"when": on("reply"), "allow": True}]),
        tenant([REPLIES, {"when": on("private_note"), "allow": True}]),
    ),
    C.OVERLAPPING: Case(
        tenant([NOTES, REPLIES]),
        tenant([NOTES, {**REPLIES, "redact_fields": ["email"]}]),
    ),
    C.MUST_HOLD_NEVER_DECIDES: Case(
        tenant([REPLIES, {"when": on("reply"), "redact_fields": [], "must_hold": True}]),
        tenant([REPLIES, {"when": on("reply"), "redact_fields": ["email"], "must_hold": True}]),
    ),
    C.WORD_UNKNOWN: Case(
        tenant([REPLIES, asked_in("automatic")]),
        tenant([REPLIES, asked_in("automate")]),
    ),
    C.ARGUMENT_OF_OTHER_ACTION: Case(
        tenant(
            [
                {"when": on("give_credit", "reply"), "allow": True},
                denied(OF_C1, "reply"),
            ],
            **CREDIT,
        ),
        tenant(
            [
                {"when": on("give_credit", "reply"), "allow": True},
                denied(OF_C1, "give_credit"),
            ],
            **CREDIT,
        ),
    ),
    C.DEFAULT_MISSING: Case(tenant([REPLIES], default=None), tenant([REPLIES])),
    C.GRANTS_NOTHING: Case(tenant([ASKS]), tenant([{"deny": True}])),
    C.ORGANISATION_GRANTS_NOTHING: Case(
        under(policy([ASKS]), policy([REPLIES])),
        under(policy([ANY, ASKS]), policy([REPLIES])),
    ),
    C.NOT_GRANTED_ABOVE: Case(
        under(policy([{"when": on("private_note"), "allow": True}]), policy([REPLIES])),
        under(policy([{"when": on("private_note", "reply"), "allow": True}]), policy([REPLIES])),
    ),
    C.ACTION_UNUSED: Case(
        tenant([REPLIES], **CREDIT), tenant([{"when": on("reply", "give_credit"), "allow": True}], **CREDIT)
    ),
    C.ACTION_NOT_GRANTED: Case(
        tenant([REPLIES, {"when": on("give_credit"), "require_approval": {}}], **CREDIT),
        tenant([REPLIES, {"when": on("give_credit"), "allow": True, "require_approval": {}}], **CREDIT),
    ),
    C.ACTION_UNKNOWN: Case(
        tenant([{"action_allowlist": ["reply", "replay"]}]),
        tenant([{"action_allowlist": ["reply", "refund"]}]),
    ),
    C.ARGUMENTS_NEVER_FIT: Case(
        under(
            policy([ANY], actions={"write_off": {"arguments": {"reason": {"type": "word"}}}}),
            policy([{"when": on("write_off"), "allow": True}], **WRITE_OFF),
        ),
        under(
            policy([ANY], **WRITE_OFF),
            policy([{"when": on("write_off"), "allow": True}], **WRITE_OFF),
        ),
    ),
    C.BAND_NOT_GRANTED: Case(
        tenant([{"when": {"bands": ["low", "medium"]}, "allow": True}]),
        tenant([{"when": {"bands": ["low", "medium", "high"]}, "allow": True}]),
    ),
    C.FACT_UNUSED: Case(
        tenant([REPLIES], facts={"vip": "flag"}),
        tenant([{**REPLIES, "require": [{"fact": "facts.vip", "code": "no_vip"}]}], facts={"vip": "flag"}),
    ),
    C.EMPTY_ALLOWLIST: Case(
        tenant([{**REPLIES, "purpose": []}]), tenant([{**REPLIES, "purpose": ["support"]}])
    ),
    C.EMPTY_LIST: Case(
        tenant([{**REPLIES, "redact_fields": []}]), tenant([{**REPLIES, "redact_fields": ["email"]}])
    ),
    C.HOURS_NEVER_OPEN: Case(
        tenant([{**REPLIES, "hours": {"zone": "UTC", "open": {"monday": []}}}]),
        tenant([{**REPLIES, "hours": {"zone": "UTC", "open": {"monday": ["09:00-09:01"]}}}]),
    ),
    C.REDACTS_UNKNOWN_KIND: Case(
        tenant([{**REPLIES, "redact_fields": ["mail"]}]), tenant([{**REPLIES, "redact_fields": ["email"]}])
    ),
    C.AMOUNT_UNKNOWN: Case(
        tenant([{"when": on("refund", "reply"), "threshold": {"allow_up_to": EUR}}]),
        tenant([{"when": on("refund"), "threshold": {"allow_up_to": EUR}}]),
    ),
    C.WINDOW_WITHOUT_AMOUNT: Case(
        tenant(
            [
                {
                    "when": on("write_off"),
                    "threshold": {
                        "amount": "action.arguments.amount",
                        "allow_up_to": EUR,
                        "per": "customer",
                        "within": "30d",
                    },
                }
            ],
            **WRITE_OFF,
        ),
        tenant(
            [
                {
                    "when": on("give_credit"),
                    "threshold": {"allow_up_to": EUR, "per": "customer", "within": "30d"},
                }
            ],
            **CREDIT,
        ),
    ),
    C.CURRENCY_GAP: Case(
        tenant(
            [
                {"when": on("refund"), "threshold": {"allow_up_to": {**EUR, "USD": "50.00"}}},
                {"when": on("refund", if_=field("action.amount", more_than=EUR)), "require_approval": {}},
            ]
        ),
        tenant(
            [
                {"when": on("refund"), "threshold": {"allow_up_to": EUR}},
                {"when": on("refund", if_=field("action.amount", more_than=EUR)), "require_approval": {}},
            ]
        ),
    ),
    C.LIMIT_ZERO: Case(
        tenant([{"when": on("refund"), "threshold": {"allow_up_to": NONE}}]),
        tenant([{"when": on("refund"), "threshold": {"allow_up_to": NONE, "approval_up_to": EUR}}]),
    ),
}  # fmt: skip
