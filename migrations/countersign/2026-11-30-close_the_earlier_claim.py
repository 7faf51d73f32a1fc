"""Takes away the claim that did not ask for the newest decision.

Workers of an earlier release let nothing out from here on; their steps are repeated by those of this one.
"""

from alembic import op

revision = "close_the_earlier_claim"
down_revision = "count_rules_considered"
branch_labels = None
depends_on = None

ARGUMENTS = "uuid, text, uuid, text, text, text, text, integer"
STATEMENTS = (
    "set local lock_timeout = '5s'",
    "set local statement_timeout = '60s'",
    f"drop function countersign.claim_effect({ARGUMENTS})",
    f"drop function countersign.recheck_effect({ARGUMENTS}, boolean)",
)


def upgrade() -> None:
    """Two functions."""
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    """Forward only: the fence is never taken away."""
    raise NotImplementedError
