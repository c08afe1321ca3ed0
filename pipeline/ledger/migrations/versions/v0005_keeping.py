"""Which files were purged of personal data, and from when a restored backup does not know what was sent."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add one column and one table."""
    op.add_column("batches", sa.Column("purged_at", sa.Float(), nullable=True))
    op.create_table(
        "restores",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("restored_at", sa.Float(), nullable=False),
        sa.Column("last_delivery", sa.BigInteger(), nullable=False),
        sa.Column("files", sa.JSON(), nullable=False),
        sa.Column("done_at", sa.Float(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )


def downgrade() -> None:
    """Forget both."""
    op.drop_table("restores")
    op.drop_column("batches", "purged_at")
