"""How many rules a decision had to consider, beside how long it took."""

from alembic import op

revision = "count_rules_considered"
down_revision = "observe_candidates"
branch_labels = None
depends_on = None

STATEMENTS = (
    "set local lock_timeout = '5s'",
    "set local statement_timeout = '60s'",
    "alter table countersign.decisions add column rules_considered integer",
    "grant insert (rules_considered) on countersign.decisions to countersign_app",
    "grant select (rules_considered) on countersign.decisions to countersign_door",
)


def upgrade() -> None:
    """Empty for earlier decisions: what they considered is not known any more."""
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    """Forward only, as every migration."""
    raise NotImplementedError
