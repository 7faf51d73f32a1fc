"""Lets the codec server find the tenant of a tenant key by the key's id; ticket keys stay closed to it."""

from alembic import op

revision = "let_operators_decode"
down_revision = "show_ticket_numbers"
branch_labels = None
depends_on = None

STATEMENTS = """
set local lock_timeout = '5s';

set local statement_timeout = '60s';

create unique index tenant_keys_by_id on countersign_keys.data_keys (owner_id) where kind = 'tenant';

create policy codec_reads on countersign_keys.data_keys for select to countersign_key_codec
    using (kind = 'tenant');

grant usage on schema countersign_keys to countersign_key_codec;

grant select (tenant_id, kind, owner_id, wrapped) on countersign_keys.data_keys to countersign_key_codec
"""


def upgrade() -> None:
    """A payload carries its key's id and nothing else that says whose it is."""
    for statement in STATEMENTS.split(";"):
        op.execute(statement)


def downgrade() -> None:
    """Forward only."""
    raise NotImplementedError
