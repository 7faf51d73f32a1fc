"""`--only policy`: what a decision costs with Rego, beside the same rules written by hand."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import thread_time_ns

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from adapters.policy.effective import alone
from adapters.regorus import RegorusEngine
from bench.by_hand import decide
from bench.figures import Row, percentile
from bench.policy_tenants import Terms, bundle_of, proposed, terms_of
from domain.decision import EngineAnswer, PolicyInput

TENANTS = 1000
RULES = 9
DECISIONS = 2000
BLOCK = 100  # so that a machine that gets busy meets both


class Disagreement(Exception):
    """What answers differently cannot be compared."""

    def __init__(self) -> None:
        super().__init__(
            "The rules written by hand and the policy answer differently, so they measure nothing"
        )


@dataclass(frozen=True)
class Tenant:
    """Its policy in both forms."""

    terms: Terms
    engine: RegorusEngine


@dataclass(frozen=True)
class Round:
    """CPU time of each decision in nanoseconds."""

    by_hand: Sequence[int]
    engine: Sequence[int]


Proposal = tuple[Tenant, PolicyInput]


def tenants_of(number: int) -> Sequence[Tenant]:
    """Each with rules of its own."""
    terms = [terms_of(each) for each in range(number)]
    return [Tenant(each, RegorusEngine(alone(bundle_of(each)))) for each in terms]


def proposals_to(tenants: Sequence[Tenant], number: int) -> Sequence[Proposal]:
    """In an order that nobody would cache; the same on every run. Raises `Disagreement`."""
    dice = random.Random(number)  # noqa: S311 - the same on every run
    chosen = [dice.randrange(len(tenants)) for _ in range(number)]
    proposals = [(tenants[each], proposed(each, dice)) for each in chosen]
    if not all(_agree(*proposal) for proposal in proposals):
        raise Disagreement
    return proposals


def measured(proposals: Sequence[Proposal]) -> Round:
    """One round: both decide every proposal, in blocks that take turns."""
    by_hand: list[int] = []
    engine: list[int] = []
    for start in range(0, len(proposals), BLOCK):
        block = proposals[start : start + BLOCK]
        by_hand += [_spent(lambda: decide(asked, tenant.terms)) for tenant, asked in block]  # noqa: B023 - called at once
        engine += [_spent(lambda: tenant.engine.decide(asked)) for tenant, asked in block]  # noqa: B023 - called at once
    return Round(by_hand, engine)


def measure(rounds: int) -> Sequence[Row]:
    """Builds the tenants, measures so many rounds after one that warms up, and says how far it is."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        proposals = proposals_to(tenants_of(TENANTS), DECISIONS)
        counted = progress.track(range(rounds + 1), description="Decisions")
        return rows_of([measured(proposals) for _ in counted][1:])


def said(rounds: int) -> str:
    """How it was measured."""
    return (
        f"`make bench`: {TENANTS:,} tenants with {RULES} rules each, {rounds} × {DECISIONS:,} decisions "
        "of each kind that agree on every verdict and reason. Both read the input as JSON. "
        "Times are the quickest round's and ratios the medians of the rounds'; believe the ratios."
    )


def rows_of(rounds: Sequence[Round]) -> Sequence[Row]:
    """The quickest round's times, and the ratios of all."""
    return [_row(f"decision, P{percent}, µs of CPU", percent, rounds) for percent in (50, 99)]


def _row(name: str, percent: int, rounds: Sequence[Round]) -> Row:
    pairs = [(percentile(each.by_hand, percent), percentile(each.engine, percent)) for each in rounds]
    return Row(
        name=name,
        no_op=min(by_hand for by_hand, _ in pairs) / 1000,
        ticket=min(engine for _, engine in pairs) / 1000,
        ratios=[engine / by_hand for by_hand, engine in pairs],
    )


def _spent(work: Callable[[], object]) -> int:
    began = thread_time_ns()
    work()
    return thread_time_ns() - began


def _agree(tenant: Tenant, asked: PolicyInput) -> bool:
    return _told(tenant.engine.decide(asked)) == decide(asked, tenant.terms)


def _told(answer: EngineAnswer) -> tuple[str, frozenset[tuple[str, str]]]:
    return answer.verdict.value, frozenset((reason.rule, reason.code) for reason in answer.reasons)
