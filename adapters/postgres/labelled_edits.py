"""The `LabelledEdits` port: one line per message that a teammate answered after us."""

from sqlalchemy import text

from adapters.postgres.session import Database
from domain.learning import LabelledEdit
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


class PostgresLabelledEdits:
    """Works as `app`, which can add lines and never change one."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def record(self, ticket: TicketRef, edit: LabelledEdit) -> bool:
        """The first edit of a message stays."""
        named = {"tenant": ticket.tenant_id, "ticket": ticket.ticket_id, **edit.model_dump()}
        async with self._database.transaction(ticket.tenant_id) as session:
            return (await session.execute(RECORD, named)).first() is not None
