"""Small policies and inputs, and both engines at once."""

import json
from typing import Any

import yaml

from adapters import regorus
from adapters.policy.bundle import Bundle
from adapters.policy.effective import Effective, alone
from adapters.policy.file import parse
from adapters.policy.plain import PlainEngine
from domain.decision import EngineAnswer

TENANT = "00000000-0000-0000-0000-000000000001"


def policy(rules: list[dict[str, Any]], **more: Any) -> Bundle:
    """A file with these rules, read as authors' files are. A word with None is left out."""
    document = {
        "schema_version": 2,
        "name": "written_here",
        "default": "deny",
        "approval": {"approver_groups": ["approvers"]},
        **more,
        "rules": [{"id": f"rule_{number}", **rule} for number, rule in enumerate(rules)],
    }
    written = {word: value for word, value in document.items() if value is not None}
    return parse(yaml.safe_dump(written, sort_keys=False))


def asked(type_: str = "reply", **more: Any) -> dict[str, Any]:
    """A complete input; words such as `agent` or `action` change parts of it."""
    document: dict[str, Any] = {
        "schema_version": 2,
        "tenant_id": TENANT,
        "ticket_id": "00000000-0000-0000-0000-000000000002",
        "mode": "automate",
        "channel": "public",
        "action": {"type": type_, "band": "low", "zones": ["public"]},
        "agent": {"id": "support_agent", "permission_level": "execute", "chain": []},
        "ticket": {"owner": "automation", "turn": 0, "signals": []},
    }
    for word, value in more.items():
        kept = document.get(word)
        document[word] = {**kept, **value} if isinstance(kept, dict) and isinstance(value, dict) else value
    return document


def decide(policy_: Bundle | Effective, document: dict[str, Any] | str) -> EngineAnswer:
    """What both engines answer. They must agree."""
    compiled = alone(policy_) if isinstance(policy_, Bundle) else policy_
    text = document if isinstance(document, str) else json.dumps(document)
    rego = regorus.RegorusEngine(compiled).decide_document(text)
    assert rego == PlainEngine(compiled).decide_document(text)
    return rego


def codes(answer: EngineAnswer) -> list[str]:
    return [reason.code for reason in answer.reasons]
