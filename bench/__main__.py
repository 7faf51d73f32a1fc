"""`python -m bench`: what tickets and decisions cost, beside work that does less.

It prints and does not gate. Nothing of it stays: the home is temporary, the ports are free ones.
"""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import click
import httpx
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from adapters.embedded.home import temporary_home
from adapters.settings import Settings
from bench import policy, policy_backtest, policy_reload, policy_shadow
from bench.figures import PhaseFigures, Row, rows_of
from bench.histories import Records
from bench.phases import NO_OP_WORKER, TICKET_WORKER, Advance, Bench, Load, in_turns
from bench.table import POLICY, RELOADS, TICKETS, Shape, markdown, rich_table, write
from bench.texts import TENANT
from cli.children import ChildProcess
from cli.connected import connected
from cli.demo_world import build
from cli.processes import Stack, StackOptions
from cli.terminal import console
from cli.up import running_stack

README = Path(__file__).parents[1] / "README.md"
PARTS = ("tickets", "policy", "policy_shadow", "policy_backtest")
Rounds = Sequence[tuple[PhaseFigures, PhaseFigures]]


@click.command()
@click.option("--tickets", type=click.IntRange(1, 400), default=60, show_default=True, help="Per phase.")
@click.option(
    "--rounds",
    type=click.IntRange(1, 20),
    default=3,
    show_default=True,
    help="Phases of each kind; one more of each warms up and is not counted.",
)
@click.option(
    "--concurrency", type=click.IntRange(1, 50), default=8, show_default=True, help="Tickets under way."
)
@click.option("--only", type=click.Choice(PARTS), help="One part of it.")
@click.option("--write", "writes", is_flag=True, help="Put the tables into README.md.")
def main(tickets: int, rounds: int, concurrency: int, *, only: str | None, writes: bool) -> None:
    """Print what an answered ticket and a decision cost, as ratios to work that does less."""
    shown = console()
    parts = (only,) if only else PARTS
    if "tickets" in parts:
        load = Load(tickets, concurrency)
        rows = rows_of(asyncio.run(_run(shown, load, rounds)))
        _show(shown, rows, _said(load, rounds), TICKETS, writes=writes)
    if "policy" in parts:
        _show(shown, policy.measure(rounds), policy.said(rounds), POLICY, writes=writes)
        _show(shown, policy_reload.measure(rounds), policy_reload.said(rounds), RELOADS, writes=writes)
    for name, command in (("policy_shadow", policy_shadow.main), ("policy_backtest", policy_backtest.main)):
        if name in parts:
            command.main(args=["--rounds", str(rounds)], standalone_mode=False)


def _show(shown: Console, rows: Sequence[Row], said: str, shape: Shape, *, writes: bool) -> None:
    block = markdown(rows, said, shape)
    shown.print()
    shown.print(rich_table(rows, shape))
    shown.print()
    shown.print(block, markup=False)
    if writes:
        write(README, block, shape)


def _said(load: Load, rounds: int) -> str:
    return (
        f"`make bench`: {rounds} × {load.tickets} tickets of each kind, {load.concurrency} under way, "
        f"everything on one machine with {os.cpu_count()} cores, emulators included. "
        "Ratios are the medians of the rounds'; believe them rather than the times."
    )


async def _run(shown: Console, load: Load, rounds: int) -> Rounds:
    with temporary_home() as home:
        # Built without the environment: a database that somebody uses is no place for this.
        settings = Settings.model_construct(home=home.path)
        options = StackOptions(workers=1, emulators=True, usual_ports=False)
        async with running_stack(settings, options, shown) as (stack, stopped):
            measuring = asyncio.create_task(_measure(shown, stack, load, rounds))
            stopping = asyncio.create_task(stopped.wait())
            await asyncio.wait([measuring, stopping], return_when=asyncio.FIRST_COMPLETED)
            stopping.cancel()
            if not measuring.done():
                measuring.cancel()
                await asyncio.wait([measuring])
                raise click.Abort
            return measuring.result()


async def _measure(shown: Console, stack: Stack, load: Load, rounds: int) -> Rounds:
    phases = 2 * (rounds + 1)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=shown) as progress:
        bar = progress.add_task("Tickets", total=phases * (load.tickets + 2 * load.concurrency))
        async with _bench(stack, lambda: progress.advance(bar)) as bench:

            async def phase(worker: str) -> PhaseFigures:
                measured = await bench.phase(worker, load)
                progress.print(f"{worker:14}{measured.rate:6.1f} tickets/s")
                return measured

            return (await in_turns(phase, rounds + 1))[1:]


@contextlib.asynccontextmanager
async def _bench(stack: Stack, advance: Advance) -> AsyncIterator[Bench]:
    await build(stack, recontact_window_s=0, policies={})
    await _prepare_workers(stack)
    headers = {"Authorization": f"Bearer {stack.secrets.control_token}"}
    async with (
        connected(stack.settings) as system,
        httpx.AsyncClient(
            base_url=stack.emulators_url, headers=headers, timeout=60, trust_env=False
        ) as control,
    ):
        client = await system.temporal()
        records = Records(client, system.app, await system.tenant(TENANT))
        yield Bench(stack, system, client, records, control, advance)


async def _prepare_workers(stack: Stack) -> None:
    """Both known to the supervisor, neither running."""
    environment = stack.environments.worker()
    no_op = ChildProcess(NO_OP_WORKER, ["-m", "bench.no_op_worker"], environment, stack.home)
    await stack.supervisor.start(no_op)
    for name in (TICKET_WORKER, NO_OP_WORKER):
        await stack.supervisor.pause(name)


if __name__ == "__main__":
    main()
