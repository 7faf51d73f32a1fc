"""`threshold`: up to one amount by itself, up to another with approval, above that never.

Per currency, in minor units, limits included; for one action, or together with what left in a window.
"""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Self

from pydantic import Field, JsonValue, model_validator

from adapters.policy.conditions import Fields
from adapters.policy.fields import FieldType
from adapters.policy.primitives._base import Counter, Eased, Found, Json, Per
from adapters.policy.reading import at, counted, money, word
from adapters.policy.suggestion import perhaps
from adapters.policy.written import Amounts, Duration, as_amount, as_duration, by_currency
from domain.conversation import TextModel
from domain.decision import Verdict


class Threshold(TextModel):
    """Limits of an amount; a currency that is not named is denied."""

    grants: ClassVar[bool] = True
    says: ClassVar[Mapping[str, str]] = {
        "amount_missing": "The action has no amount in minor units",
        "amount_not_positive": "The amount is not above zero",
        "currency_not_covered": "Policy has no limits for this currency",
        "counter_missing": "It is not known how much has left before",
        "within_limit": "Up to {allow_up_to} {currency}{window} this is done automatically",
        "above_limit_needs_approval": "Above {allow_up_to} {currency}{window} a person must approve",
        "over_limit": "Above {approval_up_to} {currency}{window} this is not done here",
    }

    amount: str = "action.amount"
    allow_up_to: Amounts = Field(min_length=1)
    approval_up_to: Amounts | None = None
    per: Per | None = None
    within: Duration | None = Field(None, ge=60, le=366 * 86400)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if (self.per is None) != (self.within is None):
            raise ValueError("per and within belong together")
        if self.approval_up_to is not None:
            if set(self.approval_up_to) != set(self.allow_up_to):
                raise ValueError("approval_up_to must name the same currencies as allow_up_to")
            if any(self.approval_up_to[each] < limit for each, limit in self.allow_up_to.items()):
                raise ValueError("approval_up_to must not be less than allow_up_to")
        return self

    def counters(self, actions: tuple[str, ...]) -> tuple[Counter, ...]:
        """What must be counted; one action at a time."""
        if self.per is None or self.within is None:
            return ()
        return tuple(Counter(action, self.per, self.within) for action in actions)

    def compiled(self, fields: Fields, actions: tuple[str, ...]) -> JsonValue:
        """Raises `ValueError` for an amount that is no field."""
        if fields.types.get(self.amount) is not FieldType.AMOUNT:
            amounts = [name for name, kind in fields.types.items() if kind is FieldType.AMOUNT]
            raise ValueError(f"{self.amount!r} is not an amount of the input{perhaps(self.amount, amounts)}")
        allowed = by_currency(self.allow_up_to)
        limits: dict[str, Any] = {
            "path": fields.path(self.amount),
            "allow_up_to": allowed,
            "approval_up_to": by_currency(self.approval_up_to) if self.approval_up_to else allowed,
        }
        if self.per is not None and self.within is not None:
            if not actions:
                raise ValueError("a window needs when.actions: what is counted")
            limits["counters"] = {counter.action: counter.key for counter in self.counters(actions)}
            limits["window"] = f" per {self.per.value} in {as_duration(self.within)}"
        return limits

    @staticmethod
    def find(check: Any, document: Json) -> Iterator[Found]:
        """Exactly one thing."""
        amount = money(at(document, *check["path"]))
        if amount is None:
            yield Verdict.DENY, "amount_missing"
            return
        units, currency = amount
        if currency not in check["allow_up_to"]:
            yield Verdict.DENY, "currency_not_covered"
        elif units <= 0:
            yield Verdict.DENY, "amount_not_positive"
        else:
            before = _before(check, document, currency)
            yield (
                (Verdict.DENY, "counter_missing")
                if before is None
                else _limited(check, currency, units + before)
            )

    @staticmethod
    def eased(before: Any, after: Any, action: str) -> Iterator[Eased]:
        """Higher limits, more currencies, or another amount or window."""
        if before["path"] != after["path"]:
            yield Eased("threshold limits another amount", proven=False)
        window = before.get("counters", {}).get(action)  # a window where none was can only add to the amount
        if window is not None and window != after.get("counters", {}).get(action):
            yield Eased("threshold counts another window", proven=False)
        for currency in sorted(after["allow_up_to"]):
            yield from _raised(before, after, currency)


def _before(check: Any, document: Json, currency: str) -> int | None:
    if "counters" not in check:
        return 0
    action = word(at(document, "action", "type"))
    counter = at(document, "counters", str(check["counters"].get(action)))
    if not isinstance(counter, Mapping) or not isinstance(counter.get("amounts"), Mapping):
        return None
    return counted(counter["amounts"].get(currency, 0))


def _limited(check: Any, currency: str, units: int) -> Found:
    if units <= check["allow_up_to"][currency]:
        return Verdict.ALLOW, "within_limit"
    if units <= check["approval_up_to"][currency]:
        return Verdict.APPROVAL_NEEDED, "above_limit_needs_approval"
    return Verdict.DENY, "over_limit"


def _raised(before: Any, after: Any, currency: str) -> Iterator[Eased]:
    if currency not in before["allow_up_to"]:
        yield Eased(f"threshold also lets {currency} through")
        return
    for name in ("allow_up_to", "approval_up_to"):
        least, most = before[name][currency], after[name][currency]
        if most > least:
            yield Eased(f"threshold.{name}.{currency} rises from {as_amount(least)} to {as_amount(most)}")
