"""The first shape of the ledger."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create every table of the first release."""
    op.create_table(
        "accounts",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("paused_code", sa.String(length=64), nullable=True),
        sa.Column("paused_message", sa.Text(), nullable=True),
        sa.Column("paused_at", sa.Float(), nullable=True),
        sa.PrimaryKeyConstraint("account"),
    )
    op.create_table(
        "batches",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("link", sa.String(length=16), nullable=False),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("subfolder", sa.Text(), nullable=True),
        sa.Column("feed", sa.Text(), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("received_at", sa.Float(), nullable=False),
        sa.Column("closed_at", sa.Float(), nullable=True),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("mapping_fingerprint", sa.String(length=64), nullable=True),
        sa.Column("found", sa.JSON(), nullable=True),
        sa.Column("header", sa.JSON(), nullable=True),
        sa.Column("deliver", sa.JSON(), nullable=True),
        sa.Column("on_change", sa.String(length=8), nullable=True),
        sa.Column("notes", sa.JSON(), nullable=True),
        sa.Column("rows_read", sa.Integer(), nullable=False),
        sa.Column("rows_accepted", sa.Integer(), nullable=False),
        sa.Column("rows_rejected", sa.Integer(), nullable=False),
        sa.Column("rows_skipped", sa.Integer(), nullable=False),
        sa.Column("reason_code", sa.String(length=64), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("advice", sa.Text(), nullable=True),
        sa.Column("same_as", sa.Integer(), nullable=True),
        sa.Column("workbook", sa.Text(), nullable=True),
        sa.Column("workbook_sha256", sa.String(length=64), nullable=True),
        sa.Column("problems_digest", sa.String(length=64), nullable=True),
        sa.Column("corrects", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("link"),
    )
    op.create_index("batches_by_sha256", "batches", ["sha256"], unique=False)
    op.create_index("batches_by_state", "batches", ["state"], unique=False)
    op.create_table(
        "deliveries",
        sa.Column("id", KEY, nullable=False),
        sa.Column("batch_id", sa.Integer(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("operation", sa.String(length=32), nullable=False),
        sa.Column("record_key", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("record", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("due_at", sa.Float(), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("result", sa.JSON(), nullable=True),
        sa.Column("remote_id", sa.Text(), nullable=True),
        sa.Column("problems", sa.JSON(), nullable=True),
        sa.Column("resolved_by", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.Column("updated_at", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(
            ["batch_id"],
            ["batches.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint(
            "batch_id", "account", "operation", "record_key", name="one_delivery_per_record_and_target"
        ),
    )
    op.create_index("deliveries_by_batch", "deliveries", ["batch_id", "state"], unique=False)
    op.create_index("deliveries_by_key", "deliveries", ["record_key", "account", "operation"], unique=False)
    op.create_index("deliveries_due", "deliveries", ["account", "state", "due_at"], unique=False)
    op.create_index("deliveries_in_line", "deliveries", ["account", "state", "id"], unique=False)
    op.create_table(
        "rejections",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("batch_id", sa.Integer(), nullable=False),
        sa.Column("row", sa.Integer(), nullable=False),
        sa.Column("column", sa.Text(), nullable=True),
        sa.Column("field", sa.Text(), nullable=True),
        sa.Column("value", sa.Text(), nullable=True),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("advice", sa.Text(), nullable=False),
        sa.Column("record_key", sa.Text(), nullable=True),
        sa.Column("resolved_by", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["batch_id"],
            ["batches.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("rejections_by_batch", "rejections", ["batch_id", "row"], unique=False)
    op.create_index("rejections_by_key", "rejections", ["record_key"], unique=False)
    op.create_table(
        "steps",
        sa.Column("id", KEY, nullable=False),
        sa.Column("delivery_id", KEY, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("request", sa.JSON(), nullable=False),
        sa.Column("result", sa.JSON(), nullable=True),
        sa.Column("sends", sa.Integer(), nullable=False),
        sa.Column("doubt_since", sa.Float(), nullable=True),
        sa.Column("last_look", sa.Text(), nullable=True),
        sa.Column("search_hint", sa.Text(), nullable=True),
        sa.Column("shares", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["delivery_id"],
            ["deliveries.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("delivery_id", "name", name="one_step_per_name"),
    )
    op.create_index("steps_by_state", "steps", ["state", "shares"], unique=False)
    op.create_table(
        "attempts",
        sa.Column("id", KEY, nullable=False),
        sa.Column("step_id", KEY, nullable=False),
        sa.Column("sent_at", sa.Float(), nullable=False),
        sa.Column("ended_at", sa.Float(), nullable=True),
        sa.Column("outcome", sa.String(length=16), nullable=True),
        sa.Column("code", sa.String(length=64), nullable=True),
        sa.Column("message", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["step_id"],
            ["steps.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("attempts_by_step", "attempts", ["step_id"], unique=False)


def downgrade() -> None:
    """Drop them all."""
    for table in ("attempts", "steps", "deliveries", "rejections", "batches", "accounts"):
        op.drop_table(table)
