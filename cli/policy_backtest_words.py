"""A backtest in sentences: what could be compared first, then what would be different."""

from collections.abc import Iterator
from datetime import datetime

from adapters.policy.backtest import Changed, Flip, Moved, Report
from domain.decision import Verdict
from domain.fact import Money

ANSWERS = {
    Verdict.ALLOW: "goes out by itself",
    Verdict.SANITIZE: "goes out without personal data",
    Verdict.APPROVAL_NEEDED: "waits for a person",
    Verdict.DENY: "is refused",
}


def told(report: Report, file: str, since: datetime) -> Iterator[str]:
    """Lines; a heading has no indent, a blank line stands before each but the first."""
    tenants = sum(1 for tenant in report.tenants if not tenant.refused)
    yield (
        f"{file} on {counted(report.total('read'), 'decision')} of {counted(tenants, 'tenant')}"
        f" since {since:%Y-%m-%d %H:%M} UTC"
    )
    sections = (
        ("What can be compared", _coverage(report)),
        ("What would be different", _different(report)),
        ("By rule", map(_by_rule, report.by_rule)),
        ("Money, each proposal once", map(_money, report.money)),
        ("By tenant", _by_tenant(report)),
        ("Work of people, each proposal once", _work(report)),
        ("Rules that must hold", _must_hold(report)),
        (_decisions_heading(report), map(_flip, report.flips)),
    )
    for heading, lines in sections:
        shown = [f"  {line}" for line in lines]
        if shown:
            yield from ("", heading, *shown)


def moves(before: Verdict, after: Verdict) -> str:
    """The change of a verdict; the same verdict is on other terms."""
    if before is after:
        return f"{ANSWERS[after]} as before, on other terms"
    return f"{ANSWERS[after]}, where it {_past(before)}"


def counted(number: int, what: str) -> str:
    """`1 decision`, `2 decisions`."""
    plural = "es" if what.endswith("s") else "s"
    return f"{number} {what}{'' if number == 1 else plural}"


def _coverage(report: Report) -> Iterator[str]:
    read, unknown = report.total("read"), report.total("unknown")
    yield f"{read - unknown} of {counted(read, 'decision')} can be decided again."
    if unknown:
        yield f"{unknown} are unknown from here and count as nothing: their inputs lack what is asked for."
    for field, number in report.unknown_fields.items():
        yield f"  {field} is not known in {number}."
    if otherwise := report.total("not_reproduced"):
        yield f"{otherwise} come out otherwise under the policy of their own time: the library changed."
    if lost := report.total("policy_not_kept"):
        yield f"{lost} were decided by a policy that is not kept; what was recorded is compared."
    for tenant in report.tenants:
        if tenant.refused:
            yield f"{tenant.tenant} is not compared. {tenant.refused}."


def _different(report: Report) -> Iterator[str]:
    flips = report.total("flips")
    yield (
        f"{counted(flips, 'decision')} of {report.total('flips') + report.total('same')}."
        if flips
        else "Nothing."
    )


def _by_rule(changed: Changed) -> str:
    change = moves(changed.before, changed.after)
    return f"{changed.rule}: {counted(changed.decisions, 'decision')}. Each {change}."


def _money(moved: Moved) -> str:
    amount = Money(minor_units=moved.minor_units, currency=moved.currency)
    change = moves(moved.before, moved.after)
    return f"{amount} in {counted(moved.proposals, 'proposal')}. Each {change}."


def _past(verdict: Verdict) -> str:
    return {
        Verdict.ALLOW: "went out by itself",
        Verdict.SANITIZE: "went out without personal data",
        Verdict.APPROVAL_NEEDED: "waited for a person",
        Verdict.DENY: "was refused",
    }[verdict]


def _by_tenant(report: Report) -> Iterator[str]:
    for tenant in report.tenants:
        if not tenant.refused:
            yield f"{tenant.tenant}: {tenant.flips} of {counted(tenant.flips + tenant.same, 'decision')}."


def _work(report: Report) -> Iterator[str]:
    before, after = report.work_before, report.work_after
    questions, yeses = after.questions - before.questions, after.yeses - before.yeses
    yield (
        f"{counted(after.questions, 'question')} instead of {before.questions} ({questions:+d}),"
        f" {counted(after.yeses, 'yes')} instead of {before.yeses} ({yeses:+d})."
    )


def _must_hold(report: Report) -> Iterator[str]:
    for rule, number in report.must_hold.items():
        yield f"{rule} would say something else in {counted(number, 'decision')}."


def _decisions_heading(report: Report) -> str:
    total = report.total("flips")
    shown = len(report.flips)
    return "Decisions" if shown >= total else f"Decisions ({shown} of {total}; --all names every one)"


def _flip(flip: Flip) -> str:
    what = f"{flip.action} {flip.amount}".strip()
    held = f", must hold: {', '.join(flip.must_hold)}" if flip.must_hold else ""
    return (
        f"{flip.tenant}/{flip.ticket}  {what}: {moves(flip.before, flip.after)}"
        f" ({', '.join(flip.rules)}{held})  {flip.decision_id}"
    )
