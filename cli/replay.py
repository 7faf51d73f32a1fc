"""`countersign ticket replay`: whether today's code would do with a ticket what was done."""

import asyncio
from collections.abc import Sequence

import click

from cli.connected import connected
from cli.recorded import Replayed, recorded_runs, replayed
from cli.terminal import console
from domain.history import RecordedRun

SHORT_RUN = 8


@click.command("replay")
@click.argument("named", metavar="TENANT/NUMBER")
@click.option("--archive-only", is_flag=True, help="Read the archive, also where Temporal still has a run.")
def replay_ticket(named: str, archive_only: bool) -> int:  # noqa: FBT001 - click's flags
    """Run today's code over everything recorded of a ticket, and name what differs."""
    return asyncio.run(_replay(named, archive_only=archive_only))


async def _replay(named: str, *, archive_only: bool) -> int:
    async with connected() as system:
        ticket = await system.ticket(named)
        runs = await recorded_runs(system, ticket, named, archive_only=archive_only)
        found = [await replayed(system.keys, run.history) if run.history else None for run in runs]
    shown = console()
    for run, result in zip(runs, found, strict=True):
        for line in _lines(run, result):
            shown.print(line, markup=False)
    shown.print(_verdict(found))
    return 1 if any(result and result.difference for result in found) else 0


def _lines(run: RecordedRun, result: Replayed | None) -> Sequence[str]:
    name = f"{run.started_at:%Y-%m-%d %H:%M:%S}  {run.kind:<8}  run {run.run_id[:SHORT_RUN]}"
    if result is None:
        return [f"{name}  erased with its ticket, not replayed"]
    ended = "differs" if result.difference else "OK"
    drifts = (
        f"  drift: step {drift.step!r} would get another input today" for drift in result.recorder.drifts
    )
    differences = [f"  {result.difference}"] if result.difference else []
    return [f"{name}  {result.events} events  {ended}", *differences, *drifts]


def _verdict(found: Sequence[Replayed | None]) -> str:
    played = [result for result in found if result]
    differing = sum(bool(result.difference) for result in played)
    drifting = sum(bool(result.recorder.drifts) for result in played)
    if not differing and not drifting:
        return f"{len(played)} of {len(found)} runs replayed, no difference"
    return f"{len(played)} of {len(found)} runs replayed, {differing} differ, {drifting} have drifts"
