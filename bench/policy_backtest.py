"""`python -m bench.policy_backtest`: decisions decided again, beside reading the same rows and nothing else.

A server of its own in a temporary home; nothing of it stays.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from statistics import median
from time import perf_counter
from uuid import UUID, uuid4

import click
from sqlalchemy.dialects.postgresql import insert

from adapters.embedded.home import temporary_home
from adapters.embedded.postgres import start_postgres
from adapters.policy.bundle import Level
from adapters.policy.effective import alone
from adapters.policy.file import parse
from adapters.policy.plain import PlainEngine
from adapters.policy.published import published
from adapters.policy.tables import pack
from adapters.postgres.bootstrap import ROLES, DatabaseUrls, bootstrap
from adapters.postgres.migrate import migrate
from adapters.postgres.policies import PolicyStore
from adapters.postgres.policy_moves import Movers, PolicyMoves
from adapters.postgres.policy_register import Place, PolicyRegister, Publication
from adapters.postgres.recorded_decisions import Chosen, RecordedDecisions
from adapters.postgres.session import Database
from adapters.postgres.tables import decisions
from bench.policy_inputs import an_input
from cli.policy_backtest import Run, Trial
from cli.terminal import console
from domain.decision import PolicyInput
from domain.model import digest_of

AT_ONCE = 500
TEXT = pack("support_default").read_text(encoding="utf-8")
CANDIDATE = TEXT.replace('"50.00"', '"30.00"')
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@click.command()
@click.option("--decisions", "number", type=click.IntRange(100, 1_000_000), default=10_000, show_default=True)
@click.option("--rounds", type=click.IntRange(1, 20), default=3, show_default=True)
def main(number: int, rounds: int) -> None:
    """Print what a backtest of so many decisions takes, as a ratio to reading their rows."""
    measured = asyncio.run(_run(number, rounds))
    reading, trying = median(read for read, _ in measured), median(tried for _, tried in measured)
    ratio = median(tried / read for read, tried in measured)
    shown = console()
    shown.print(f"policy_backtest: {number} decisions in {trying:.1f} s ({number / trying:,.0f} a second)")
    shown.print(f"reading the same rows: {reading:.1f} s; ratio {ratio:.2f} ×")


async def _run(number: int, rounds: int) -> list[tuple[float, float]]:
    async with database() as urls:
        owner, app = Database(urls.owner), Database(urls.app)
        try:
            tenant_id = await _filled(owner, app, number)
            return [(await _reading(app, tenant_id), await _trying(app, tenant_id)) for _ in range(rounds)]
        finally:
            await owner.close()
            await app.close()


async def _reading(app: Database, tenant_id: UUID) -> float:
    began = perf_counter()
    async for _ in RecordedDecisions(app).read(Chosen(tenant_id, LONG_AGO)):
        pass
    return perf_counter() - began


async def _trying(app: Database, tenant_id: UUID) -> float:
    began = perf_counter()
    run = Run(app, Trial(parse(CANDIDATE), Level.TENANT, "support_agent", LONG_AGO, 20))
    await run.try_on("bench", tenant_id, lambda: None)
    taken = perf_counter() - began
    report = run.counted.report()
    if not report.total("flips") or report.total("not_reproduced"):
        raise click.ClickException("The decisions were not decided again as they should be")
    return taken


@asynccontextmanager
async def database() -> AsyncIterator[DatabaseUrls]:
    """A server of its own until the end of the block."""
    with temporary_home() as home:
        server = await asyncio.to_thread(start_postgres, home, None)
        try:
            urls = await bootstrap(server.admin_url, {role: secrets.token_hex(16) for role in ROLES})
            await migrate(urls)
            yield urls
        finally:
            server.stop()


async def _filled(owner: Database, app: Database, number: int) -> UUID:
    """A tenant with a policy and so many decisions of it, three of each ticket."""
    tenant_id, policy = uuid4(), alone(parse(TEXT))
    file, register = published(parse(TEXT)), PolicyRegister(owner)
    await register.publish(Place(tenant_id), file, Publication())
    await PolicyMoves(owner).activate(Place(tenant_id), file.version, Movers())
    await PolicyStore(app).keep(tenant_id, policy.version, policy.content)
    engine = PlainEngine(policy)
    for begin in range(0, number, AT_ONCE):
        inputs = [an_input(tenant_id, each) for each in range(begin, min(begin + AT_ONCE, number))]
        async with app.transaction(tenant_id) as session:
            await session.execute(insert(decisions).values([_row(engine, asked) for asked in inputs]))
    return tenant_id


def _row(engine: PlainEngine, asked: PolicyInput) -> dict[str, object]:
    answer = engine.decide(asked)
    return {
        "tenant_id": asked.tenant_id,
        "id": f"dec_{secrets.token_hex(20)}",
        "ticket_id": asked.ticket_id,
        "turn": 0,
        "action_type": asked.action.type,
        "action_digest": asked.action.digest,
        "verdict": answer.verdict,
        "policy_version": engine.version,
        "input_digest": digest_of(asked),
        "input": asked.model_dump(mode="json", exclude_none=True),
        "reasons": [reason.model_dump(mode="json") for reason in answer.reasons],
        "obligations": answer.obligations.model_dump(mode="json") if answer.obligations else None,
        "messages": list(answer.messages),
        "latency_us": 300,
    }


if __name__ == "__main__":
    main()
