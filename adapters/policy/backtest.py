"""What a candidate would have decided, counted: by rule, money, tenant and the work of people.

Memory grows with the number of rules, currencies and tenants, and with the flips that are to be named.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import Field

from adapters.policy.past import Outcome, Redecided
from domain.conversation import TextModel
from domain.decision import EngineAnswer, Verdict
from domain.fact import Money


class Work(TextModel):
    """What people have to answer: questions, and yeses that they take together."""

    questions: int = 0
    yeses: int = 0


class Moved(TextModel):
    """Money of proposals whose verdict changes; each proposal counts once however often it was decided."""

    before: Verdict
    after: Verdict
    currency: str
    proposals: int
    minor_units: int


class Changed(TextModel):
    """Decisions that go from one verdict to another because of a rule."""

    rule: str
    before: Verdict
    after: Verdict
    decisions: int


class Flip(TextModel):
    """A decision that would be another, or in which a rule that must hold says something else.

    `ticket` is its number in the tenant's helpdesk, or its id where that is not known.
    """

    tenant: str
    ticket: str
    decision_id: str
    action: str
    amount: str
    before: Verdict
    after: Verdict
    rules: tuple[str, ...]
    must_hold: tuple[str, ...]


class OfTenant(TextModel):
    """One tenant's part."""

    tenant: str
    read: int = 0
    same: int = 0
    flips: int = 0
    unknown: int = 0
    not_reproduced: int = 0  # this release decides them otherwise under the policy of that time
    policy_not_kept: int = 0  # the recorded answer stands for it
    refused: str = ""  # why the candidate does not fit; nothing is counted then


class Report(TextModel):
    """Everything a backtest found."""

    tenants: tuple[OfTenant, ...]
    unknown_fields: Mapping[str, int]
    by_rule: tuple[Changed, ...]
    money: tuple[Moved, ...]
    work_before: Work
    work_after: Work
    must_hold: Mapping[str, int]  # rules so marked that say something else, and in how many decisions
    flips: tuple[Flip, ...] = Field(repr=False)

    def total(self, name: str) -> int:
        """Over all tenants."""
        return sum(getattr(tenant, name) for tenant in self.tenants)


@dataclass(frozen=True)
class Proposal:
    """What a decision was about."""

    tenant: str
    ticket_id: str
    decision_id: str
    action: str
    digest: str
    amount: Money | None


@dataclass
class Backtest:
    """Counts decisions as they come, those of one ticket after another."""

    name_flips: int | None  # how many are named; None for all
    _tenants: dict[str, dict[str, int]] = field(default_factory=dict)
    _refused: dict[str, str] = field(default_factory=dict)
    _fields: Counter[str] = field(default_factory=Counter)
    _rules: Counter[tuple[str, Verdict, Verdict]] = field(default_factory=Counter)
    _money: dict[tuple[Verdict, Verdict, str], tuple[int, int]] = field(default_factory=dict)
    _work: dict[str, Work] = field(default_factory=lambda: {"before": Work(), "after": Work()})
    _held: Counter[str] = field(default_factory=Counter)
    _held_flips: list[Flip] = field(default_factory=list)
    _flips: list[Flip] = field(default_factory=list)
    _ticket: str = ""
    _seen: set[str] = field(default_factory=set)  # proposals of the ticket at hand

    def begin(self, tenant: str) -> None:
        """A tenant without decisions is reported too."""
        self._tenants[tenant] = Counter()

    def refuse(self, tenant: str, why: str) -> None:
        """The candidate does not fit this tenant."""
        self._refused[tenant] = why

    def add(self, proposal: Proposal, decided: Redecided) -> None:
        """One decision."""
        counts = self._tenants[proposal.tenant]
        counts["read"] += 1
        counts["policy_not_kept"] += decided.reproduced is None
        counts["not_reproduced"] += decided.reproduced is False
        counts[
            {Outcome.SAME: "same", Outcome.FLIPS: "flips", Outcome.UNKNOWN: "unknown"}[decided.outcome]
        ] += 1
        self._fields.update(decided.lacking)
        self._held.update(decided.held)
        is_first = self._is_first(proposal)
        if is_first and decided.outcome is not Outcome.UNKNOWN:
            self._count_work(decided)
        if decided.outcome is Outcome.FLIPS:
            self._count_flip(proposal, decided, is_first=is_first)
        if decided.outcome is Outcome.FLIPS or decided.held:
            self._name(_flip(proposal, decided))

    def report(self) -> Report:
        """So far."""
        return Report(
            tenants=tuple(
                OfTenant(tenant=name, refused=self._refused.get(name, ""), **self._tenants.get(name, {}))
                for name in sorted({*self._tenants, *self._refused})
            ),
            unknown_fields=dict(self._fields.most_common()),
            by_rule=tuple(
                Changed(rule=rule, before=before, after=after, decisions=number)
                for (rule, before, after), number in self._rules.most_common()
            ),
            money=tuple(
                Moved(before=key[0], after=key[1], currency=key[2], proposals=number, minor_units=units)
                for key, (number, units) in sorted(self._money.items())
            ),
            work_before=self._work["before"],
            work_after=self._work["after"],
            must_hold=dict(self._held.most_common()),
            flips=(*self._held_flips, *self._flips)[: self.name_flips],
        )

    def _is_first(self, proposal: Proposal) -> bool:
        """Whether this proposal of the ticket has not been decided before."""
        if proposal.ticket_id != self._ticket:
            self._ticket, self._seen = proposal.ticket_id, set()
        is_first = proposal.digest not in self._seen
        self._seen.add(proposal.digest)
        return is_first

    def _count_work(self, decided: Redecided) -> None:
        for when, answer in (("before", decided.before), ("after", decided.after)):
            work = self._work[when]
            self._work[when] = Work(
                questions=work.questions + _asks(answer), yeses=work.yeses + _quorum(answer)
            )

    def _count_flip(self, proposal: Proposal, decided: Redecided, *, is_first: bool) -> None:
        before, after = decided.before.verdict, decided.after.verdict
        self._rules.update((rule, before, after) for rule in decided.rules)
        if is_first and proposal.amount is not None:
            key = before, after, proposal.amount.currency
            number, units = self._money.get(key, (0, 0))
            self._money[key] = number + 1, units + proposal.amount.minor_units

    def _name(self, flip: Flip) -> None:
        """Those of rules that must hold are named before any other."""
        chosen = self._held_flips if flip.must_hold else self._flips
        if self.name_flips is None or len(chosen) < self.name_flips:
            chosen.append(flip)


def _flip(proposal: Proposal, decided: Redecided) -> Flip:
    return Flip(
        tenant=proposal.tenant,
        ticket=proposal.ticket_id,
        decision_id=proposal.decision_id,
        action=proposal.action,
        amount=str(proposal.amount or ""),
        before=decided.before.verdict,
        after=decided.after.verdict,
        rules=tuple(decided.rules),
        must_hold=tuple(sorted(decided.held)),
    )


def _asks(answer: EngineAnswer) -> bool:
    return answer.verdict is Verdict.APPROVAL_NEEDED


def _quorum(answer: EngineAnswer) -> int:
    return answer.obligations.quorum if _asks(answer) and answer.obligations is not None else 0
