"""What people were told, what a comparison with the targets found, and indexes for a pass with nothing to do."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
OUT = sa.text("workbook IS NOT NULL")
UNCLOSED = sa.text("closed_at IS NULL")


def upgrade() -> None:
    """Add the four tables, and the indexes that keep an idle pass short however long the ledger is."""
    op.create_table(
        "alerts",
        sa.Column("id", KEY, nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("event", sa.String(length=32), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("headline", sa.Text(), nullable=False),
        sa.Column("first_at", sa.Float(), nullable=False),
        sa.Column("told_at", sa.Float(), nullable=True),
        sa.Column("told_version", sa.Text(), nullable=True),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("sending_at", sa.Float(), nullable=True),
        sa.Column("settled_at", sa.Float(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("channel", "event", "subject", name="one_alert_per_channel_and_subject"),
    )
    op.create_table(
        "channels",
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("next_try_at", sa.Float(), nullable=True),
        sa.Column("told_at", sa.Float(), nullable=True),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("channel"),
    )
    op.create_table(
        "moments",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "comparisons",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("compared_at", sa.Float(), nullable=False),
        sa.Column("missing", sa.Integer(), nullable=False),
        sa.Column("extra", sa.Integer(), nullable=False),
        sa.Column("differing", sa.Integer(), nullable=False),
        sa.Column("unreadable", sa.Boolean(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("workbook", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("account"),
    )
    op.create_index("batches_with_workbook", "batches", ["id"], sqlite_where=OUT, postgresql_where=OUT)
    op.create_index("batches_not_put_away", "batches", ["id"], sqlite_where=UNCLOSED, postgresql_where=UNCLOSED)
    op.create_index("fetched_by_time", "fetched", ["pickup", "fetched_at"])


def downgrade() -> None:
    """Forget what people were told."""
    op.drop_index("fetched_by_time", table_name="fetched")
    op.drop_index("batches_not_put_away", table_name="batches")
    op.drop_index("batches_with_workbook", table_name="batches")
    for table in ("comparisons", "moments", "channels", "alerts"):
        op.drop_table(table)
