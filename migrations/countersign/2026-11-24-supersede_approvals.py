"""A question whose draft was changed is superseded by a new one."""

from alembic import op

revision = "supersede_approvals"
down_revision = "take_over_tickets"
branch_labels = None
depends_on = None

STATUSES = "'pending', 'approved', 'rejected', 'expired', 'cancelled', 'superseded'"


def upgrade() -> None:
    """Rows keep what they say: the new check allows all that the old one did."""
    op.execute("set local lock_timeout = '5s'")
    op.execute("set local statement_timeout = '60s'")
    op.execute("alter table countersign.approvals drop constraint approval_status")
    op.execute(
        f"alter table countersign.approvals add constraint approval_status check (status in ({STATUSES}))"
    )


def downgrade() -> None:
    """Forward only: superseded questions would break the older check."""
    raise NotImplementedError
