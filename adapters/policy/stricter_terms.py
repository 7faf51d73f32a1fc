"""Whether an approval asks at least as much as before: who, how many, how long, and what silence means."""

from collections.abc import Iterator

from adapters.policy.primitives._base import Eased
from adapters.policy.primitives.require_approval import Terms
from adapters.policy.written import as_duration
from domain.decision import Obligations
from domain.obligations import HARDER

COMPARED = frozenset(
    {"approver_groups", "quorum", "expires_in", "on_timeout", "forbid_self", "remind_every", "ladder"}
)


def eased_terms(before: Terms | None, after: Terms | None) -> Iterator[Eased]:
    """What `after` asks less. No terms at all ask nobody, which is a no where nobody else is asked."""
    if before is None:
        return
    if after is None:
        yield Eased("nobody is named who approves", proven=False)
        return
    asked, asks = _obligations(before), _obligations(after)
    yield from _eased_people(asked, asks)
    yield from _eased_time(asked, asks)
    for name in sorted(set(Terms.model_fields) - COMPARED):
        if getattr(before, name) != getattr(after, name):
            yield Eased(f"approval has another {name}", proven=False)


def _obligations(terms: Terms) -> Obligations:
    return Obligations.model_validate(terms.obligations(), strict=False)


def _eased_people(asked: Obligations, asks: Obligations) -> Iterator[Eased]:
    moments = {0, *(rung.after_s for terms in (asked, asks) for rung in terms.ladder or ())}
    more: dict[str, int] = {}
    for moment in sorted(moments):
        for group in sorted(_may_answer(asks, moment) - _may_answer(asked, moment)):
            more.setdefault(group, moment)
    for group, moment in more.items():
        when = f" after {as_duration(moment)}" if moment else ""
        yield Eased(f"{group!r} may approve too{when}")
    if asks.quorum < asked.quorum:
        yield Eased(f"approval.quorum falls from {asked.quorum} to {asks.quorum}")
    if asked.forbid_self and not asks.forbid_self:
        yield Eased("approval lets people approve what they asked for themselves")


def _may_answer(terms: Obligations, moment: int) -> set[str]:
    later = (rung.approver_groups for rung in terms.ladder or () if rung.after_s <= moment)
    return {*terms.approver_groups}.union(*later)


def _eased_time(asked: Obligations, asks: Obligations) -> Iterator[Eased]:
    if asks.expires_in_s > asked.expires_in_s:
        spans = f"from {as_duration(asked.expires_in_s)} to {as_duration(asks.expires_in_s)}"
        yield Eased(f"approval.expires_in rises {spans}")
    if HARDER[asks.on_timeout] < HARDER[asked.on_timeout]:
        yield Eased(f"approval.on_timeout is {asks.on_timeout.value} where it was {asked.on_timeout.value}")
    if asked.remind_every_s is None:
        return
    if asks.remind_every_s is None or asks.remind_every_s > asked.remind_every_s:
        yield Eased("approval reminds people less often")
