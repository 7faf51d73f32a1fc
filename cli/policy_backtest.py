"""`countersign policy backtest`: what a changed policy would have decided about all that was decided."""

import asyncio
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import click
from pydantic import JsonValue, ValidationError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from adapters.http import utc_now
from adapters.policy.backtest import Backtest, Flip, Proposal, Report
from adapters.policy.bundle import Bundle, Level
from adapters.policy.file import read_file
from adapters.policy.past import Past, redecide
from adapters.policy.reading import at, money
from adapters.postgres.recorded_decisions import Chosen, RecordedDecision, RecordedDecisions
from adapters.postgres.session import Database
from cli.connected import Connected, connected
from cli.inbox import Age
from cli.policy_backtest_words import told
from cli.policy_judges import Judges
from cli.terminal import console
from domain.decision import EngineAnswer
from domain.errors import BundleRefused
from domain.fact import Money

MUST_HOLD_FLIPS = 3
NAMED_FLIPS = 20
NUMBERS_AT_ONCE = 500
Advance = Callable[[], None]


@dataclass(frozen=True)
class Trial:
    """What is tried, on which decisions."""

    bundle: Bundle
    level: Level
    agent: str
    since: datetime
    name_flips: int | None


@click.command()
@click.option(
    "--candidate",
    "file",
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The changed policy file.",
)
@click.option("--tenant", help="Only this tenant; without it, all.")
@click.option("--since", type=Age(), default=timedelta(days=30), help="Decisions made within this time: 30d")
@click.option(
    "--level",
    type=click.Choice([level.value for level in Level]),
    default=Level.TENANT.value,
    show_default=True,
    help="Whose file it is; the other levels stay as they are.",
)
@click.option("--agent", default="support_agent", show_default=True, help="With --level agent: whose file.")
@click.option("--all", "every", is_flag=True, help=f"Name every flip, not only {NAMED_FLIPS}.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def backtest(  # noqa: PLR0913 - one option each
    *, file: Path, tenant: str | None, since: timedelta, level: str, agent: str, form: str, every: bool
) -> None:
    """Decide every recorded decision again under a changed policy, and say what would flip.

    Exit code 3: a rule marked must_hold says something else. 1: a tenant could not be compared.
    """
    try:
        begin = utc_now() - since
    except OverflowError:
        raise click.BadParameter("That is before there were decisions. Write it as 30d") from None
    trial = Trial(read_file(file), Level(level), agent, begin, None if every else NAMED_FLIPS)
    report = asyncio.run(_run(trial, tenant))
    if form == "json":
        click.echo(json.dumps(report.model_dump(mode="json"), indent=1))
    else:
        for line in told(report, file.name, trial.since):
            console().print(line, markup=False)
    _exit(report)


def _exit(report: Report) -> None:
    if report.must_hold:
        raise click.exceptions.Exit(MUST_HOLD_FLIPS)
    if any(tenant.refused for tenant in report.tenants):
        raise click.exceptions.Exit(1)


async def _run(trial: Trial, tenant: str | None) -> Report:
    async with connected() as system:
        names = [tenant] if tenant else [each.name for each in await system.all_tenants()]
        tenants = {name: await system.tenant(name) for name in names}
        run = Run(system.app, trial)
        with _progress(await run.count(tenants.values())) as advance:
            for name, tenant_id in tenants.items():
                await run.try_on(name, tenant_id, advance)
        return await _numbered(system, tenants, run.counted.report())


class Run:
    """A trial under way. Reads as `app`."""

    def __init__(self, database: Database, trial: Trial) -> None:
        self.counted = Backtest(trial.name_flips)
        self._database = database
        self._trial = trial
        self._records = RecordedDecisions(database)

    async def count(self, tenants: Iterable[UUID]) -> int:
        """How many decisions will be tried."""
        return sum([await self._records.count(self._chosen(tenant_id)) for tenant_id in tenants])

    async def try_on(self, name: str, tenant_id: UUID, advance: Advance) -> None:
        """One tenant's decisions. A candidate that does not fit is noted, and the next tenant goes on."""
        judges = Judges(self._database, tenant_id, self._trial.level, self._trial.bundle, self._trial.agent)
        self.counted.begin(name)
        try:
            await judges.candidate(self._trial.agent)  # refused before anything is counted
            async with aclosing(self._records.read(self._chosen(tenant_id))) as recorded:
                async for decision in recorded:
                    past = past_of(decision)
                    then = await judges.then(decision.policy_version)
                    candidate = await judges.candidate(str(at(past.document, "agent", "id")))
                    self.counted.add(proposal_of(name, decision, past), redecide(past, then, candidate))
                    advance()
        except BundleRefused as error:
            self.counted.refuse(name, str(error))
        except ValidationError:
            self.counted.refuse(name, "one of its recorded decisions cannot be read")

    def _chosen(self, tenant_id: UUID) -> Chosen:
        trial = self._trial
        return Chosen(tenant_id, trial.since, trial.agent if trial.level is Level.AGENT else None)


def past_of(decision: RecordedDecision) -> Past:
    """What was recorded, ready to be decided again."""
    document: dict[str, JsonValue] = json.loads(decision.input)
    answer = EngineAnswer(
        verdict=decision.verdict, reasons=decision.reasons, obligations=decision.obligations
    )
    return Past(decision.input, document, answer)


def proposal_of(tenant: str, decision: RecordedDecision, past: Past) -> Proposal:
    """What it was about."""
    amount = money(at(past.document, "action", "amount"))
    return Proposal(
        tenant=tenant,
        ticket_id=str(decision.ticket_id),
        decision_id=decision.id,
        action=decision.action_type,
        digest=decision.action_digest,
        amount=Money(minor_units=amount[0], currency=amount[1]) if amount else None,
    )


async def _numbered(system: Connected, tenants: dict[str, UUID], report: Report) -> Report:
    """Tickets by the numbers that people know."""
    numbers: dict[tuple[str, str], str] = {}
    for name, tenant_id in tenants.items():
        ids = list(dict.fromkeys(flip.ticket for flip in report.flips if flip.tenant == name))
        for some in _batches(ids):
            named = await system.tickets.numbers(tenant_id, some)
            numbers |= {(name, id_): number for id_, number in zip(some, named, strict=True)}
    flips = tuple(_with_number(flip, numbers) for flip in report.flips)
    return report.model_copy(update={"flips": flips})


def _with_number(flip: Flip, numbers: dict[tuple[str, str], str]) -> Flip:
    return flip.model_copy(update={"ticket": numbers[flip.tenant, flip.ticket]})


def _batches(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    for begin in range(0, len(ids), NUMBERS_AT_ONCE):
        yield ids[begin : begin + NUMBERS_AT_ONCE]


@contextmanager
def _progress(total: int) -> Iterator[Advance]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        bar = progress.add_task("Deciding again", total=total)
        yield lambda: progress.advance(bar)
