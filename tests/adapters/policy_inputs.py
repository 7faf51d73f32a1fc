"""Inputs of policy: a refund that is allowed, and ways to change it."""

import json
from uuid import UUID

from pydantic import JsonValue

from adapters.policy.effective import Effective, alone
from adapters.policy.file import parse
from adapters.policy.plain import PlainEngine
from adapters.policy.tables import Document, pack
from adapters.regorus import RegorusEngine
from domain.decision import PolicyInput


def starter() -> Effective:
    return alone(parse(pack("support_default").read_text()))


def engines() -> tuple[RegorusEngine, PlainEngine]:
    return RegorusEngine(starter()), PlainEngine(starter())


def refund(minor_units: int = 5000, currency: str = "EUR") -> Document:
    money: JsonValue = {"minor_units": minor_units, "currency": currency}
    action: JsonValue = {"type": "refund", "band": "high", "digest": f"sha256:{'a' * 64}", "amount": money}
    plenty: JsonValue = {"minor_units": 10**12, "currency": "EUR"}
    order: JsonValue = {
        "status": "delivered",
        "owner_is_requester": True,
        "delivered": True,
        "total": plenty,
        "refundable": plenty,
    }
    return {**proposal(action), "requester_known": True, "order": order}


def reply(*zones: str) -> Document:
    cited: list[JsonValue] = [*zones]
    return proposal({"type": "reply", "band": "low", "digest": f"sha256:{'a' * 64}", "zones": cited})


def other(type_: str) -> Document:
    return proposal({"type": type_, "band": "low", "digest": f"sha256:{'a' * 64}"})


def proposal(action: JsonValue) -> Document:
    return {
        "schema_version": 1,
        "tenant_id": str(UUID(int=1)),
        "ticket_id": str(UUID(int=2)),
        "mode": "automate",
        "channel": "public",
        "action": action,
        "agent": {"id": "support_agent", "permission_level": "execute"},
        "ticket": {"owner": "automation", "turn": 0, "signals": []},
    }


def as_input(document: Document) -> PolicyInput:
    return PolicyInput.model_validate_json(json.dumps(document))
