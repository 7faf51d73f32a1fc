"""Several demands on one approval, met by a single one: every demand can only make it harder."""

from collections.abc import Sequence

from domain.decision import Obligations, OnTimeout, Rung

HARDER = {OnTimeout.WAIT: 0, OnTimeout.HAND_OVER: 1, OnTimeout.REJECT: 2}


def combined(demands: Sequence[Obligations]) -> Obligations | None:
    """Who satisfies all of them may answer. None where nobody does, or nobody is asked for."""
    if not demands:
        return None
    first = _eligible(demands, 0)
    if not first:
        return None
    reminders = [each.remind_every_s for each in demands if each.remind_every_s is not None]
    return Obligations(
        approver_groups=first,
        quorum=max(each.quorum for each in demands),
        expires_in_s=min(each.expires_in_s for each in demands),
        on_timeout=max((each.on_timeout for each in demands), key=HARDER.__getitem__),
        forbid_self=any(each.forbid_self for each in demands),
        redact_fields=tuple(sorted({field for each in demands for field in each.redact_fields})),
        remind_every_s=min(reminders, default=None),
        ladder=_ladder(demands, first),
    )


def _ladder(demands: Sequence[Obligations], first: tuple[str, ...]) -> tuple[Rung, ...] | None:
    """Each moment at which somebody more satisfies every demand."""
    rungs: list[Rung] = []
    before = set(first)
    for after in sorted({rung.after_s for each in demands for rung in each.ladder or ()}):
        more = tuple(group for group in _eligible(demands, after) if group not in before)
        if more:
            rungs.append(Rung(after_s=after, approver_groups=more))
            before |= set(more)
    return tuple(rungs) or None


def _eligible(demands: Sequence[Obligations], after_s: int) -> tuple[str, ...]:
    groups = [
        {*each.approver_groups}
        | {group for rung in each.ladder or () if rung.after_s <= after_s for group in rung.approver_groups}
        for each in demands
    ]
    return tuple(sorted(set.intersection(*groups)))
