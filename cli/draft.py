"""`countersign ticket draft`: what a waiting question would send, and other words for it."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from time import time
from uuid import uuid4

import click
from temporalio.client import WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError

from adapters.child_pool import ChildPool, NoChildFree
from adapters.postgres.principals import Principal
from adapters.postgres.vault import PostgresVault
from adapters.postgres.voting import VotingRecords
from adapters.presidio.redactor import PresidioRedactor
from cli.connected import Connected, connected
from cli.ownership import named_ticket, principal_of
from cli.terminal import console
from domain.approval import ApprovalRequest, ChangeDraft, Eligibility, VoteRefusal
from domain.card import Card
from domain.errors import ChildDied, ChildOverran, RedactionFailed
from domain.model import ArtifactRef
from domain.placeholder import PLACEHOLDER, in_words
from domain.ports import ArtifactKind
from domain.ticket import TicketRef
from workflows.ids import ticket_workflow_id

CHANGE_DRAFT = "change_draft"
LONGEST = 20_000
SENTENCES = {
    VoteRefusal.NOT_PENDING: "The question was answered meanwhile",
    VoteRefusal.NOT_ELIGIBLE: "Policy does not let this teammate decide it, so their words do not count",
}


@click.command("draft")
@named_ticket
@click.option(
    "--file",
    "file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The whole new text.",
)
@click.option("--as", "teammate", metavar="PRINCIPAL", help="Who changes it; needed with --file.")
def draft(named: str, file: Path | None, teammate: str | None) -> None:
    """Show what a waiting question would send, or put other words to it."""
    if (file is None) is not (teammate is None):
        raise click.UsageError("Changing the words needs both --file and --as")
    asyncio.run(_change(named, file, teammate) if file and teammate else _show(named))


async def _show(named: str) -> None:
    async with connected() as system:
        ticket = await system.ticket(named)
        request = await _waiting(system, ticket, named)
        card = Card.model_validate_json(await system.artifacts.get(ticket, request.card))
    console().print(f"[bold]{named}[/bold] waits: {card.title}")
    console().print(card.quote or "It sends no text", markup=False)


async def _change(named: str, file: Path, teammate: str) -> None:
    words = _words(file)
    async with connected() as system:
        ticket = await system.ticket(named)
        request = await _waiting(system, ticket, named)
        person = await principal_of(system, ticket.tenant_id, named, teammate)
        text = await _kept(system, ticket, words)
        await _tell(system, request, person, text)
    console().print(f"[bold]{named}[/bold] is decided again and asked anew with these words")


def _words(file: Path) -> str:
    try:
        words = file.read_text("utf-8").strip()
    except UnicodeDecodeError:
        raise click.ClickException(f"File {file.name!r} is not UTF-8. Save it as UTF-8") from None
    if not words or len(words) > LONGEST:
        raise click.ClickException(f"File {file.name!r} needs between 1 and {LONGEST} characters")
    return words


async def _waiting(system: Connected, ticket: TicketRef, named: str) -> ApprovalRequest:
    for approval_id in await system.tickets.pending_approvals(ticket):
        request = await VotingRecords(system.app).request(ticket.tenant_id, approval_id)
        if request is not None:
            return request
    raise click.ClickException(f"No question about ticket {named!r} waits for people")


async def _kept(system: Connected, ticket: TicketRef, words: str) -> ArtifactRef:
    """Redacted as what a customer writes is. What the ticket does not know could never be put back."""
    known = await PostgresVault(system.app, system.keys).values(ticket)
    try:
        async with ChildPool() as pool:
            await pool.ready()
            safe = await PresidioRedactor(pool).redact_text(words, known)
    except (RedactionFailed, ChildDied, ChildOverran, NoChildFree):
        raise click.ClickException("The text could not be redacted. Write it more plainly") from None
    unknown = [in_words(found[0]) for found in PLACEHOLDER.finditer(safe) if found[0] not in known]
    if unknown:
        raise click.ClickException(
            f"The text has something personal that the ticket does not know ({unknown[0]}). Leave it out"
        )
    return await system.artifacts.put(ticket, ArtifactKind.DRAFT, safe.encode())


async def _tell(system: Connected, request: ApprovalRequest, person: Principal, text: ArtifactRef) -> None:
    order = ChangeDraft(
        ticket=request.ticket,
        approval_id=request.approval_id,
        text=text,
        eligibility=Eligibility(
            principal=person.id, groups=person.groups, as_of=datetime.fromtimestamp(time(), UTC)
        ),
    )
    client = await system.temporal()
    run = client.get_workflow_handle(ticket_workflow_id(request.ticket))
    try:
        await run.execute_update(CHANGE_DRAFT, order, id=str(uuid4()))
    except WorkflowUpdateFailedError as error:
        raise click.ClickException(_refusal(error)) from None
    except RPCError:
        raise click.ClickException("The ticket's run does not answer. Say it again later") from None


def _refusal(error: WorkflowUpdateFailedError) -> str:
    why = error.cause.type if isinstance(error.cause, ApplicationError) else None
    known = {refusal.value: sentence for refusal, sentence in SENTENCES.items()}
    return known.get(why or "", "The ticket's run refused the words. Look at it and say it again")
