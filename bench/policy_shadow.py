"""`python -m bench.policy_shadow`: what a decision takes with a candidate beside it, and without one.

The step that decides, on a server of its own: its question for the policy, the engine, the row it writes.
Blocks with and without a candidate take turns, so that a machine that gets busy favours neither.
"""

import asyncio
from dataclasses import dataclass
from statistics import median
from time import perf_counter
from uuid import UUID, uuid4

import click

from activities.policy import PolicyActivities
from activities.policy_input import DecideInput
from adapters.active_policies import ActivePolicies
from adapters.observing import CandidateObserver
from adapters.policy.file import parse
from adapters.policy.published import published
from adapters.postgres.decisions import PostgresDecisions
from adapters.postgres.observations import Observations
from adapters.postgres.policies import PolicyStore
from adapters.postgres.policy_register import Place, PolicyRegister, Publication, move_pointer
from adapters.postgres.session import Database
from adapters.postgres.what_left import PostgresWhatLeft
from bench.figures import percentile
from bench.policy_backtest import CANDIDATE, TEXT, database
from cli.terminal import console
from domain.action import AddTags, ProposedAction
from domain.ticket import Mode, Owner, TicketRef
from worker.rounds import Rounds

UNDER_WAY = 4
PAUSE_S = 0.005


@dataclass(frozen=True)
class Block:
    """Seconds of each decision."""

    taken: list[float]

    def ms(self, percent: int) -> float:
        """A percentile."""
        return 1000 * percentile(self.taken, percent)


@click.command()
@click.option("--decisions", "number", type=click.IntRange(100, 100_000), default=400, show_default=True)
@click.option("--rounds", type=click.IntRange(1, 100), default=8, show_default=True)
def main(number: int, rounds: int) -> None:
    """Print what a decision takes with a candidate, as a ratio to one without."""
    pairs = asyncio.run(_run(number, rounds))
    shown = console()
    for percent in (50, 99):
        alone, beside = (median(block.ms(percent) for block in each) for each in zip(*pairs, strict=True))
        ratio = median(beside.ms(percent) / alone.ms(percent) for alone, beside in pairs)
        shown.print(f"policy_shadow P{percent}: {beside:.2f} ms beside {alone:.2f} ms; ratio {ratio:.2f} ×")


async def _run(number: int, rounds: int) -> list[tuple[Block, Block]]:
    async with database() as urls:
        owner, app = Database(urls.owner), Database(urls.app, pool_size=8)
        try:
            return await _measured(owner, app, number, rounds)
        finally:
            await owner.close()
            await app.close()


async def _measured(owner: Database, app: Database, number: int, rounds: int) -> list[tuple[Block, Block]]:
    policies = ActivePolicies(PolicyStore(app))
    observer = CandidateObserver(policies, Observations(app))
    steps = PolicyActivities(
        policies=policies,
        decisions=PostgresDecisions(app, observer.offer),
        what_left=PostgresWhatLeft(app),
    )
    alone, beside = await _tenant(owner, None), await _tenant(owner, CANDIDATE)
    looking = Rounds("candidates", observer.round)
    running = asyncio.create_task(looking.run())
    pairs = []
    for each in range(rounds + 1):
        order = (alone, beside) if each % 2 else (beside, alone)
        blocks = {tenant: await _block(steps, tenant, number) for tenant in order}
        pairs.append((blocks[alone], blocks[beside]))
    looking.stop()
    await running
    return pairs[1:]


async def _tenant(owner: Database, candidate: str | None) -> UUID:
    place = Place(uuid4())
    for kind, text in (("active", TEXT), ("candidate", candidate)):
        if text is not None:
            file = published(parse(text))
            await PolicyRegister(owner).publish(place, file, Publication())
            async with owner.transaction(place.tenant_id) as session:
                await move_pointer(session, place, kind, file.version)
    return place.tenant_id


async def _block(steps: PolicyActivities, tenant_id: UUID, number: int) -> Block:
    taken: list[float] = []

    async def some(first: int) -> None:
        for _ in range(first, number, UNDER_WAY):
            asked = _plan(tenant_id)
            began = perf_counter()
            await steps.decide(asked)
            taken.append(perf_counter() - began)
            await asyncio.sleep(PAUSE_S)

    await asyncio.gather(*map(some, range(UNDER_WAY)))
    return Block(taken)


def _plan(tenant_id: UUID) -> DecideInput:
    tags = AddTags(tags=("seen",))
    return DecideInput(
        ticket=TicketRef(tenant_id=tenant_id, route=uuid4().hex),
        turn=0,
        mode=Mode.AUTOMATE,
        owner=Owner.AUTOMATION,
        actions=(ProposedAction(ordinal=0, action=tags),),
    )


if __name__ == "__main__":
    main()
