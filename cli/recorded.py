"""The recorded runs of a ticket, for the commands that read them, and what code of today makes of them."""

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass

import click

from adapters.temporal import make_replayer
from adapters.temporal_codec import TenantKeys
from adapters.temporal_replay import CommandRecorder, history_of
from cli.connected import Connected
from domain.history import RecordedRun
from domain.ticket import TicketRef
from workflows.approval import ApprovalWorkflow
from workflows.ticket import TicketWorkflow

WORKFLOWS = (TicketWorkflow, ApprovalWorkflow)
NOBODY = "Nobody has worked on ticket {named!r} yet. Check its number in the helpdesk"
MESSAGE = re.compile(r'message: "([^"]+)"')
KIND = re.compile(r'r#type: "([^"]+)"')
ENCODED = "Encoded failure"
CODE = "[TMPRL1100] "

# The SDK logs what is told here in a sentence; where nobody set up logs, Python would print it.
logging.getLogger("temporalio").addHandler(logging.NullHandler())


async def recorded_runs(
    system: Connected, ticket: TicketRef, named: str, *, archive_only: bool = False
) -> Sequence[RecordedRun]:
    """Oldest first. Raises a sentence where nothing is recorded."""
    histories = await system.histories(archive_only=archive_only)
    runs = await histories.runs_of(ticket)
    if runs:
        return runs
    if archive_only and await system.tickets.one(ticket) is not None:
        raise click.ClickException(f"Nothing of ticket {named!r} is archived yet")
    raise click.ClickException(NOBODY.format(named=named))


@dataclass(frozen=True)
class Replayed:
    """What today's code does with a run's history. `difference` is empty where it does the same."""

    events: int
    recorder: CommandRecorder
    difference: str = ""


async def replayed(keys: TenantKeys, history: str) -> Replayed:
    """Replays one history, exactly as a worker of this release would."""
    recorder = CommandRecorder()
    parsed = history_of(history)
    result = await make_replayer(keys, WORKFLOWS, recorder).replay_workflow(
        parsed, raise_on_replay_failure=False
    )
    failure = result.replay_failure
    return Replayed(len(parsed.events), recorder, _sentence(failure) if failure else "")


def _sentence(failure: Exception) -> str:
    """Core quotes the whole failure it was given; its first message says what differs."""
    words = " ".join(str(failure).split())
    said, kind = MESSAGE.search(words), KIND.search(words)
    if said and said[1] != ENCODED:
        return said[1].removeprefix(CODE)
    return f"The workflow fails with {kind[1] if kind else type(failure).__name__}"
