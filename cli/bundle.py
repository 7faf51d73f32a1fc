"""`countersign ticket bundle`: the context bundle of a handover, made again from what was recorded.

The ticket's own workflow code, replayed over its history, says what the bundle was made from, so every
reason for a handover there is or will be is known here. The stored bundle itself is never read.
"""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import click

from activities.handoff import PreparedHandoff
from activities.renderers import RENDERERS
from adapters.temporal_replay import AnsweredStep
from cli.connected import Connected, connected
from cli.recorded import recorded_runs, replayed
from domain.conversation import Conversation
from domain.errors import ArtifactExpired, KeyDestroyed
from domain.handoff import HandoffFacts
from domain.history import RecordedRun, RunKind
from domain.model import ArtifactRef, digest_of
from domain.ports import ArtifactKind, Artifacts
from domain.ticket import TicketRef

TOMBSTONE = "[erased]"
ERASED = "What the bundle referred to was erased; it is shown as [erased], and its bytes cannot be compared"


@dataclass(frozen=True)
class Handover:
    """What a handover was prepared from, and what came of it."""

    facts: HandoffFacts
    prepared: PreparedHandoff


@dataclass
class References:
    """Reads what the facts refer to, and remembers whether something was gone."""

    artifacts: Artifacts
    ticket: TicketRef
    erased: bool = field(default=False)

    async def request(self, reference: ArtifactRef | None) -> str:
        """The customer's latest message, redacted."""
        content = await self._read(reference)
        if content is None:
            return TOMBSTONE
        latest = Conversation.model_validate_json(content).latest_from_customer if content else None
        return latest.body if latest else ""

    async def text(self, reference: ArtifactRef | None) -> str:
        """What a teammate wrote, redacted."""
        content = await self._read(reference)
        return TOMBSTONE if content is None else content.decode()

    async def _read(self, reference: ArtifactRef | None) -> bytes | None:
        if reference is None:
            return b""
        try:
            return await self.artifacts.get(self.ticket, reference)
        except (KeyDestroyed, ArtifactExpired):
            self.erased = True
            return None


@click.command("bundle")
@click.argument("named", metavar="TENANT/NUMBER")
@click.option("--turn", type=click.IntRange(1), help="The turn that was handed over; else the last one.")
@click.option(
    "--output", type=click.Path(dir_okay=False, path_type=Path), help="A file instead of the terminal."
)
@click.option("--archive-only", is_flag=True, help="Read the archive, also where Temporal still has a run.")
def show_bundle(named: str, turn: int | None, output: Path | None, archive_only: bool) -> int:  # noqa: FBT001 - click's flags
    """The context bundle of a handover, made again from the recorded history and compared."""
    return asyncio.run(_bundle(named, turn, output, archive_only=archive_only))


async def _bundle(named: str, turn: int | None, output: Path | None, *, archive_only: bool) -> int:
    async with connected() as system:
        ticket = await system.ticket(named)
        runs = await recorded_runs(system, ticket, named, archive_only=archive_only)
        handover = _chosen(named, await _handovers(system, named, runs), turn)
        references = References(system.artifacts, ticket)
        content = await _rendered(handover, references)
        references.erased = references.erased or await _is_erased(system, ticket)
        complaint = ERASED if references.erased else await _complaint(system, ticket, handover, content)
    _write(content, output)
    if complaint:
        click.echo(complaint, err=True)
    return 1 if complaint and not references.erased else 0


async def _handovers(system: Connected, named: str, runs: Sequence[RecordedRun]) -> Sequence[Handover]:
    """Oldest first. Raises a sentence where the code of today would have done something else."""
    found: list[Handover] = []
    for run in runs:
        if run.kind is not RunKind.TICKET or run.history is None:
            continue
        result = await replayed(system.keys, run.history)
        found += _prepared(result.recorder.answers)
        if result.difference:
            raise click.ClickException(
                f"The history of {named!r} does not replay with this release, so its bundle cannot be made "
                f"again. `countersign ticket replay {named}` names the difference"
            )
    return found


def _prepared(answers: Sequence[AnsweredStep]) -> Iterator[Handover]:
    for answer in answers:
        if isinstance(answer.result, PreparedHandoff):
            yield Handover(answer.args[0], answer.result)


def _chosen(named: str, handovers: Sequence[Handover], turn: int | None) -> Handover:
    fitting = [each for each in handovers if turn in {None, each.facts.turn}]
    if fitting:
        return fitting[-1]
    if not handovers:
        raise click.ClickException(f"Ticket {named!r} was never handed over, so it has no bundle")
    turns = ", ".join(str(number) for number in sorted({each.facts.turn for each in handovers}))
    raise click.ClickException(f"Turn {turn} of {named!r} was not handed over. These were: {turns}")


async def _rendered(handover: Handover, references: References) -> bytes:
    version = handover.prepared.renderer_version
    renderer = RENDERERS.get(version)
    if renderer is None:
        raise click.ClickException(f"This release does not have renderer {version!r} of the bundle any more")
    facts = handover.facts
    request = await references.request(facts.conversation)
    return renderer(facts, request, await references.text(facts.approval_reason)).encode()


async def _is_erased(system: Connected, ticket: TicketRef) -> bool:
    try:
        await system.keys.ticket_key(ticket.tenant_id, ticket.ticket_id)
    except KeyDestroyed:
        return True
    return False


async def _complaint(system: Connected, ticket: TicketRef, handover: Handover, content: bytes) -> str:
    """Empty where the bytes are those of the stored bundle."""
    if await system.artifacts.name_of(ticket, ArtifactKind.BUNDLE, content) == handover.prepared.bundle:
        return ""
    if digest_of(handover.facts) != handover.prepared.input_digest:
        return "The bundle is not what was stored: today's code would make it from other records"
    return "The bundle is not what was stored: the same records are rendered otherwise today"


def _write(content: bytes, output: Path | None) -> None:
    if output is not None:
        output.write_bytes(content)
        return
    click.echo(content.decode())
