"""Lets the relay see, across tenants, which effects were claimed and when. Nothing else of them."""

from alembic import op

revision = "find_stranded_effects"
down_revision = "log_in_principals"
branch_labels = None
depends_on = None

STATEMENTS = (
    "set local lock_timeout = '5s'",
    "set local statement_timeout = '300s'",
    "create index effects_claimed on countersign.effects (moved_at) where state = 'claimed'",
    """
    create policy relay_finds_claimed on countersign.effects for select to countersign_relay
        using (state = 'claimed')
    """,
    "grant select (tenant_id, id, state, claimed_at, moved_at) on countersign.effects to countersign_relay",
)


def upgrade() -> None:
    """An index over the few rows that are claimed, and a narrow policy."""
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    """Forward only, as every migration."""
    raise NotImplementedError
