"""Short words for policies of one or two levels, as tests of the linter write them."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from adapters.policy.bundle import Bundle, Level
from tests.adapters.policy.deciding import policy

ORGANISATION, TENANT, AGENT = Level
Rules = list[dict[str, Any]]
PEOPLE = {"approvers": frozenset({"ann", "ben"}), "leads": frozenset({"cem"}), "nobody": frozenset[str]()}
CREDIT = {
    "facts": {"credit": "amount"},
    "actions": {"give_credit": {"arguments": {"customer": {"type": "id"}}, "amount": {"sum": ["credit"]}}},
}
WRITE_OFF = {"actions": {"write_off": {"arguments": {"amount": {"type": "amount"}}}}}
EUR = {"EUR": "50.00"}
NONE = {"EUR": "0.00"}


class Case(NamedTuple):
    shows: Mapping[Level, Bundle]
    neighbour: Mapping[Level, Bundle]


def tenant(rules: Rules, **more: Any) -> dict[Level, Bundle]:
    return {TENANT: policy(rules, **more)}


def under(organisation: Bundle, below: Bundle) -> dict[Level, Bundle]:
    return {ORGANISATION: organisation, TENANT: below}


def on(*actions: str, **more: Any) -> dict[str, Any]:
    """`when`, with a condition in `if_`."""
    condition = {"condition": more.pop("if_")} if "if_" in more else {}
    return {"actions": [*actions], **more, **condition} if actions else {**more, **condition}


def field(name: str, **comparison: Any) -> dict[str, Any]:
    return {"field": name, **comparison}


def turns(least: int, below: int) -> dict[str, Any]:
    """A condition."""
    return {"all": [field("ticket.turn", at_least=least), field("ticket.turn", less_than=below)]}


def denied(condition: dict[str, Any], *actions: str) -> dict[str, Any]:
    """A rule."""
    return {"when": on(*actions, if_=condition), "deny": True}


def asked_in(mode: str) -> dict[str, Any]:
    """A rule."""
    return {"when": on("reply", if_=field("mode", equals=mode)), "require_approval": {}}


def climbing(after: str, *groups: str) -> dict[str, Any]:
    """Terms of two hours."""
    return approval("approvers", expires_in="2h", ladder=[{"after": after, **approval(*groups)}])


def approval(*groups: str, **more: Any) -> dict[str, Any]:
    return {"approver_groups": [*groups], **more}


def agents(**permissions: Any) -> dict[str, Any]:
    return {
        name: {"permission_level": each} if isinstance(each, str) else each
        for name, each in permissions.items()
    }


def child(level: str, parent: str, **more: Any) -> dict[str, Any]:
    return {"permission_level": level, "parent": parent, **more}


ANY = {"action_allowlist": ["*"]}
REPLIES = {"when": on("reply"), "allow": True}
ASKS = {"when": on("reply"), "require_approval": {}}
NOTES = {"when": on("reply", "private_note"), "allow": True}
OF_C1 = field("action.arguments.customer", equals="c1")
ASKS_BUYER = {**ASKS, "when": on("reply", agents=["buyer"])}
