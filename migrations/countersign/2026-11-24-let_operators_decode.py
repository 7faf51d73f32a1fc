"""Gives the codec server what it needs: whose token it is, and a place to write down what it opened."""

from alembic import op

revision = "let_operators_decode"
down_revision = "archive_histories"
branch_labels = None
depends_on = None

STATEMENTS = """
set local lock_timeout = '5s';

set local statement_timeout = '60s';

grant usage on schema countersign to countersign_codec;

grant select on countersign.alembic_version to countersign_codec;

grant execute on function countersign.directory_tenant(text, bytea) to countersign_codec;

grant select (tenant_id, principal_id, token_digest, roles, revoked_at) on countersign.api_tokens
    to countersign_codec;

grant select (tenant_id, id, roles) on countersign.principals to countersign_codec;

grant insert (tenant_id, kind, content) on countersign.audit_events to countersign_codec
"""


def upgrade() -> None:
    """Nothing of a ticket, and no word of an audit event, is readable to it."""
    for statement in STATEMENTS.split(";"):
        op.execute(statement)


def downgrade() -> None:
    """Forward only."""
    raise NotImplementedError
