"""A policy file: named rules, the actions and facts it declares, its agents, and who approves.

One file is one level: organisation, tenant or agent. `adapters.policy.effective` merges levels.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from enum import StrEnum
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Annotated, Literal, Self, get_args

from pydantic import Field, JsonValue, StringConstraints, model_validator

from adapters.policy.conditions import Condition, Fields
from adapters.policy.fields import FieldType, input_fields
from adapters.policy.primitives._base import Asked, Counter, Primitive
from adapters.policy.primitives.action_allowlist import ActionAllowlist
from adapters.policy.primitives.allow import Allow
from adapters.policy.primitives.channel_allowlist import ChannelAllowlist
from adapters.policy.primitives.deny import Deny
from adapters.policy.primitives.hours import Hours
from adapters.policy.primitives.purpose import PurposeList
from adapters.policy.primitives.rate import Rate
from adapters.policy.primitives.redact_fields import RedactFields
from adapters.policy.primitives.require import Require
from adapters.policy.primitives.require_approval import RequireApproval, Terms
from adapters.policy.primitives.residency import Residency
from adapters.policy.primitives.tenant_scope import TenantScope
from adapters.policy.primitives.threshold import Threshold
from domain.action import RISK_BANDS, ActionType, RiskBand
from domain.amount import amount_over
from domain.conversation import TextModel
from domain.decision import Channel, PermissionLevel
from domain.fact import Money
from domain.knowledge import KnowledgeZone
from domain.model import Code, Digest

POLICIES = Path(__file__).parent.parent.parent / "policies"
MAX_RULES = 1000
PACKAGE = "package countersign.decision\n"
Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,47}$")]
# A reason code holds 64 characters, `argument_missing.` included.
ArgumentName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,46}$")]


class Level(StrEnum):
    """Whose policy a file is, from the widest to the narrowest."""

    ORGANISATION = "organisation"
    TENANT = "tenant"
    AGENT = "agent"


class When(TextModel):
    """Which actions a rule is about; what is left out matches everything."""

    actions: tuple[Code, ...] | None = Field(None, min_length=1)
    agents: tuple[Code, ...] | None = Field(None, min_length=1)
    channels: tuple[Channel, ...] | None = Field(None, min_length=1)
    zones: tuple[KnowledgeZone, ...] | None = Field(None, min_length=1)  # any citation from one of these
    bands: tuple[RiskBand, ...] | None = Field(None, min_length=1)
    condition: Condition | None = None

    def condition_of(self) -> Condition | None:
        """Everything but the actions, which rules are indexed by."""
        chosen = (
            ("agent.id", "in", self.agents),
            ("channel", "in", self.channels),
            ("action.zones", "contains_any", self.zones),
            ("action.band", "in", self.bands),
        )
        parts = [
            Condition.model_validate({"field": field, comparison: [*map(str, words)]})
            for field, comparison, words in chosen
            if words is not None
        ]
        parts += [self.condition] if self.condition else []
        return Condition(all=tuple(parts)) if parts else None


class Rule(TextModel):
    """Primitives about what `when` names. Each finds for itself; the strictest finding wins."""

    id: Name
    description: str = Field("", max_length=500)
    must_hold: bool = False  # marks it for those who review changes
    when: When = When()

    # Register a primitive here.
    allow: Allow | None = None
    deny: Deny | None = None
    action_allowlist: ActionAllowlist | None = None
    channel_allowlist: ChannelAllowlist | None = None
    hours: Hours | None = None
    purpose: PurposeList | None = None
    rate: Rate | None = None
    redact_fields: RedactFields | None = None
    require: Require | None = None
    require_approval: RequireApproval | None = None
    residency: Residency | None = None
    tenant_scope: TenantScope | None = None
    threshold: Threshold | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.primitives():
            raise ValueError("must have a primitive, such as allow, threshold or require_approval")
        return self

    def primitives(self) -> dict[str, Primitive]:
        """By name."""
        return {name: part for name in PRIMITIVES if (part := getattr(self, name)) is not None}

    def counters(self) -> Iterator[Counter]:
        """What must be counted before it is decided."""
        for part in (self.threshold, self.rate):
            if part is not None:
                yield from part.counters(self.when.actions or ())


def _registered() -> Mapping[str, type[Primitive]]:
    """The primitives of `Rule` by their names in a file."""
    annotated = {
        name: field.annotation for name, field in Rule.model_fields.items() if name not in NOT_PRIMITIVE
    }
    return {name: next(iter(get_args(annotation))) for name, annotation in annotated.items()}


NOT_PRIMITIVE = frozenset({"id", "description", "must_hold", "when"})
PRIMITIVES = _registered()


class Argument(TextModel):
    """What an argument of a declared action may be."""

    type: Literal["id", "word", "integer", "flag", "amount", "ids"]
    values: tuple[Annotated[str, Field(max_length=128)], ...] | None = Field(None, min_length=1)
    least: int | None = None  # of an integer, or of how many ids
    most: int | None = None
    optional: bool = False

    @model_validator(mode="after")
    def _bounds_fit(self) -> Self:
        if self.values is not None and self.field_type is not FieldType.TEXT:
            raise ValueError("values are for an id or a word")
        bounded = self.least is not None or self.most is not None
        if bounded and self.field_type not in {FieldType.INTEGER, FieldType.LIST}:
            raise ValueError("least and most are for an integer, or for how many ids")
        if self.least is not None and self.most is not None and self.least > self.most:
            raise ValueError("least must not be more than most")
        return self

    @property
    def field_type(self) -> FieldType:
        """As conditions see it."""
        return ARGUMENT_TYPES[self.type]

    def compiled(self) -> dict[str, JsonValue]:
        """What engines check."""
        checked: dict[str, JsonValue] = {"type": self.field_type.value, "optional": self.optional}
        if self.values is not None:
            checked["values"] = [*sorted(set(self.values))]
        if self.least is not None:
            checked["least"] = self.least
        if self.most is not None:
            checked["most"] = self.most
        return checked


ARGUMENT_TYPES = {
    "id": FieldType.TEXT,
    "word": FieldType.TEXT,
    "integer": FieldType.INTEGER,
    "flag": FieldType.FLAG,
    "amount": FieldType.AMOUNT,
    "ids": FieldType.LIST,
}


class AmountOf(TextModel):
    """An amount as an expression over facts: their sum, less others."""

    sum: tuple[Code, ...] = Field(min_length=1, max_length=20)
    less: tuple[Code, ...] = Field((), max_length=20)

    def of(self, facts: Mapping[str, object]) -> Money | None:
        """None where a fact is missing, is no amount, or has another currency."""
        return amount_over(facts, self.sum, self.less)


class DeclaredAction(TextModel):
    """An action of the tenant's own. Without a sender, declared elsewhere, it is decided and never done."""

    band: RiskBand = RiskBand.HIGH
    description: str = Field("", max_length=500)
    arguments: dict[ArgumentName, Argument] = Field(default_factory=dict)
    amount: AmountOf | None = None


class FactType(StrEnum):
    """What a declared fact holds."""

    FLAG = "flag"
    AMOUNT = "amount"
    INTEGER = "integer"
    WORD = "word"
    IDS = "ids"


FACT_TYPES = {
    FactType.FLAG: FieldType.FLAG,
    FactType.AMOUNT: FieldType.AMOUNT,
    FactType.INTEGER: FieldType.INTEGER,
    FactType.WORD: FieldType.TEXT,
    FactType.IDS: FieldType.LIST,
}


class Agent(TextModel):
    """What an agent may do, and which agent sends it."""

    permission_level: PermissionLevel
    parent: Code | None = None
    actions: tuple[Code, ...] | None = Field(None, min_length=1)  # its scope; everything if left out


class Bundle(TextModel):
    """One level of policy. What no rule grants gets `default`, which is never a yes."""

    schema_version: Literal[2]
    name: Name
    description: str = Field("", max_length=1000)
    default: Asked | None = None  # deny where it is left out, and the linter says so
    approval: Terms | None = None
    max_chain: int = Field(3, ge=1, le=10)
    agents: dict[Code, Agent] | None = Field(None, min_length=1)
    facts: dict[Code, FactType] = Field(default_factory=dict)
    actions: dict[Code, DeclaredAction] = Field(default_factory=dict)
    rules: tuple[Rule, ...] = Field((), max_length=MAX_RULES)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        names = [rule.id for rule in self.rules]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise ValueError(f"rule {twice!r} is written twice")
        built_in = sorted(set(self.actions) & set(ActionType))
        if built_in:
            raise ValueError(f"{built_in[0]!r} is built in and cannot be declared")
        return self

    @cached_property
    def fields(self) -> Fields:
        """What its conditions may name: the input, its facts, the arguments of its actions."""
        types = dict(input_fields())
        types |= {f"facts.{name}": FACT_TYPES[kind] for name, kind in self.facts.items()}
        for action in self.actions.values():
            types |= {f"action.arguments.{name}": each.field_type for name, each in action.arguments.items()}
        return Fields(types)

    @property
    def declared(self) -> dict[str, RiskBand]:
        """Every action it knows, with its band."""
        return {action.value: band for action, band in RISK_BANDS.items()} | {
            name: action.band for name, action in self.actions.items()
        }

    def every_terms(self) -> Iterator[Terms]:
        """Who is asked, by the file and by rules of their own."""
        if self.approval is not None:
            yield self.approval
        for rule in self.rules:
            if rule.require_approval is not None and rule.require_approval.terms is not None:
                yield rule.require_approval.terms

    def content(self) -> dict[str, JsonValue]:
        """What was written, without what was left out: a part of every version."""
        written: dict[str, JsonValue] = self.model_dump(
            mode="json", by_alias=True, exclude_none=True, exclude_defaults=True
        )
        return {"schema_version": 2, **written}


def canonical(document: Mapping[str, JsonValue]) -> str:
    """The same on any machine."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def digest(content: bytes) -> Digest:
    """SHA-256."""
    return "sha256:" + hashlib.sha256(content).hexdigest()


@lru_cache(maxsize=1)
def library() -> str:
    """The Rego that decides, as one module; tests are no part of a policy.

    The files share a package. In several modules regorus evaluates rules of one package in the wrong order
    under `with`, which tests use.
    """
    files = sorted((POLICIES / "library").rglob("*.rego"))
    parts = [file.read_text(encoding="utf-8") for file in files if not file.name.endswith("_test.rego")]
    return PACKAGE + "\n".join(part.replace(PACKAGE, "", 1) for part in parts)


@lru_cache(maxsize=1)
def library_digest() -> Digest:
    """Part of every version of what decides."""
    return digest(library().encode())
