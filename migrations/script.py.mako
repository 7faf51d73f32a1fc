"""${message}"""

from alembic import op

revision = "${up_revision}"
down_revision = ${repr(down_revision)}
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Say why this order is safe beside the previous release."""
    ${upgrades if upgrades else 'op.execute("")'}


def downgrade() -> None:
    """Forward only."""
    raise NotImplementedError
