"""Whatever is shown to be as strict as before is so on samples, by both engines; faults of the proof show."""

import json
import random
from collections.abc import Iterator

import pytest

from adapters import regorus
from adapters.policy import stricter, stricter_conditions, stricter_rules
from adapters.policy.effective import effective
from adapters.policy.plain import PlainEngine
from adapters.policy.primitives._base import Eased
from adapters.policy.primitives.channel_allowlist import ChannelAllowlist
from adapters.policy.primitives.hours import Hours
from adapters.policy.primitives.purpose import PurposeList
from adapters.policy.primitives.rate import Rate
from adapters.policy.primitives.redact_fields import RedactFields
from adapters.policy.primitives.require import Require
from adapters.policy.primitives.threshold import Threshold
from domain.decision import STRICTNESS, EngineAnswer, Obligations, Verdict
from domain.obligations import HARDER
from tests.adapters.policy import stricter_edits as edit
from tests.adapters.policy.stricter_edits import EDITS, Edit, Levels, a_change
from tests.adapters.policy.stricter_inputs import inputs

SEEDS = 4
CHANGES = 2000
INPUTS_EACH = 40
IN_REGO = 4  # of them; that both engines agree on all has a test of its own


@pytest.mark.parametrize("seed", range(SEEDS))
async def test_no_sample_is_answered_milder_where_a_change_is_shown_to_be_as_strict(seed: int) -> None:
    shown = compare(seed, CHANGES // SEEDS)

    assert shown > CHANGES // SEEDS // 10


def compare(seed: int, changes: int, edits: tuple[Edit, ...] = EDITS) -> int:
    """How many changes were shown to be as strict. Raises `AssertionError` with a sample that contradicts."""
    dice = random.Random(seed)  # noqa: S311 - the same cases on every run
    shown = 0
    for _ in range(changes):
        before, after = a_change(dice, edits)
        if stricter.loosened(before, after):
            continue
        shown += 1
        _sample(dice, before, after)
    return shown


def _sample(dice: random.Random, before: Levels, after: Levels) -> None:
    was, is_ = effective(before), effective(after)
    texts = [json.dumps(document) for document in inputs(dice, INPUTS_EACH)]
    for make, asked in ((PlainEngine, texts), (regorus.RegorusEngine, texts[:IN_REGO])):
        old, new = make(was), make(is_)
        for text in asked:
            found = [*milder(old.decide_document(text), new.decide_document(text))]
            assert not found, (found, was.sources, is_.sources, text)


def milder(before: EngineAnswer, after: EngineAnswer) -> Iterator[str]:
    """What an answer asks less than another."""
    if STRICTNESS[after.verdict] < STRICTNESS[before.verdict]:
        yield f"{after.verdict} instead of {before.verdict}"
    if after.verdict is Verdict.DENY:
        return
    asked, asks = before.obligations or Obligations(), after.obligations or Obligations()
    if not set(asked.redact_fields) <= set(asks.redact_fields):
        yield "redactions"
    if before.verdict is after.verdict is Verdict.APPROVAL_NEEDED:
        yield from _easier(asked, asks)


def _easier(asked: Obligations, asks: Obligations) -> Iterator[str]:
    moments = {0, *(rung.after_s for each in (asked, asks) for rung in each.ladder or ())}
    if not all(_groups(asks, moment) <= _groups(asked, moment) for moment in moments):
        yield "people"
    if asks.quorum < asked.quorum or (asked.forbid_self and not asks.forbid_self):
        yield "votes"
    if asks.expires_in_s > asked.expires_in_s or HARDER[asks.on_timeout] < HARDER[asked.on_timeout]:
        yield "time"
    if (asks.remind_every_s or 10**9) > (asked.remind_every_s or 10**9):
        yield "reminders"


def _groups(terms: Obligations, moment: int) -> set[str]:
    rungs = (rung.approver_groups for rung in terms.ladder or () if rung.after_s <= moment)
    return {*terms.approver_groups}.union(*rungs)


def nothing(*_: object) -> Iterator[Eased]:
    """Finds nothing that is milder."""
    return iter(())


def shown(*_: object) -> bool:
    """Takes everything for shown."""
    return True


FAULTS: list[tuple[object, str, object, tuple[Edit, ...]]] = [
    (stricter_rules, "holds_only_where", shown, (edit.a_condition, edit.a_nudge)),
    (stricter_rules, "unknown_with", shown, (edit.a_condition,)),
    (stricter_rules, "knows", shown, (edit.a_condition,)),
    (stricter_conditions, "knows", shown, (edit.a_condition,)),
    (stricter_conditions, "_within", shown, (edit.a_nudge,)),
    (stricter_conditions, "_words", lambda _: frozenset(), (edit.a_nudge,)),
    (stricter_conditions, "ALWAYS_KNOWN", {"ticket.turn", "ticket.intent"}, (edit.a_condition,)),
    (Threshold, "eased", nothing, (edit.a_limit,)),
    (Rate, "eased", nothing, (edit.a_rate,)),
    (Hours, "eased", nothing, (edit.some_hours,)),
    (Require, "eased", nothing, (edit.a_requirement,)),
    (RedactFields, "eased", nothing, (edit.a_list,)),
    (ChannelAllowlist, "eased", nothing, (edit.a_list,)),
    (PurposeList, "eased", nothing, (edit.a_list,)),
    (stricter_rules, "eased_terms", nothing, (edit.own_terms,)),
    (stricter, "eased_terms", nothing, (edit.the_approval,)),
    (stricter, "eased_agents", nothing, (edit.the_agents,)),
    (stricter, "eased_actions", nothing, (edit.the_arguments,)),
    (stricter, "softer", nothing, (edit.the_default,)),
    (stricter._Comparison, "_new_actions", nothing, (edit.a_declaration,)),
    (stricter._Comparison, "_named_approvers", nothing, (edit.the_approval, edit.own_terms)),
    (stricter._Comparison, "_borrowed_names", nothing, (edit.a_name,)),
    (stricter_rules.Change, "grants_gained", nothing, (edit.a_condition, edit.a_rule_more)),
    (stricter_rules.Change, "objections_lost", nothing, (edit.a_rule_less,)),
]


@pytest.mark.parametrize(
    ("place", "name", "fault", "edits"), FAULTS, ids=[str(nth) + row[1] for nth, row in enumerate(FAULTS)]
)
async def test_fault_of_the_proof_is_contradicted_by_a_sample(
    place: object, name: str, fault: object, edits: tuple[Edit, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(place, name, staticmethod(fault) if name == "eased" else fault)  # type: ignore[arg-type]

    with pytest.raises(AssertionError):
        compare(0, 5000, edits)
