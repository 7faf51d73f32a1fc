"""The `LabelledEdits` port: one line per message that a teammate answered after us."""

from sqlalchemy import text

from adapters.postgres.session import Database
from domain.learning import LabelledEdit, LeftDraft
from domain.ticket import TicketRef

# The version that decided the turn in which the draft was made.
RECORD = text("""
    insert into labelled_edits (tenant_id, ticket_id, message, turn, draft, edited, distance_permille,
        drafter, policy_version)
    values (:tenant, :ticket, :message, :turn, :draft, :edited, :distance_permille, :drafter,
        (select policy_version from decisions where tenant_id = :tenant and ticket_id = :ticket
            and turn = :turn order by decided_at desc, id limit 1))
    on conflict do nothing returning message
""")


LEFT = text("""
    select note.turn, note.proposed -> 'action' ->> 'text' as draft, answered.message
    from effects note join answered_messages answered
        on answered.tenant_id = note.tenant_id and answered.ticket_id = note.ticket_id
            and answered.turn = note.turn
    where note.tenant_id = :tenant and note.ticket_id = :ticket and note.type = 'private_note'
        and note.state = 'confirmed' and note.proposed -> 'action' ->> 'text' like 'draft\\_%'
    order by note.turn desc limit 1
""")


class PostgresLabelledEdits:
    """Works as `app`, which can add lines and never change one."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def left(self, ticket: TicketRef) -> LeftDraft | None:
        """In assist mode a reply is such a note; the story of a handover is none."""
        named = {"tenant": ticket.tenant_id, "ticket": ticket.ticket_id}
        async with self._database.transaction(ticket.tenant_id) as session:
            row = (await session.execute(LEFT, named)).mappings().first()
        return LeftDraft.model_validate(dict(row)) if row else None

    async def record(self, ticket: TicketRef, edit: LabelledEdit) -> bool:
        """The first edit of a message stays."""
        named = {"tenant": ticket.tenant_id, "ticket": ticket.ticket_id, **edit.model_dump()}
        async with self._database.transaction(ticket.tenant_id) as session:
            return (await session.execute(RECORD, named)).first() is not None
