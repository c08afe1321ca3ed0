"""What was fetched from where, and when each pickup last ended well."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add the two tables of the pickups."""
    op.create_table(
        "pickups",
        sa.Column("pickup", sa.Text(), nullable=False),
        sa.Column("done_at", sa.Float(), nullable=False),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("pickup"),
    )
    op.create_table(
        "fetched",
        sa.Column("id", KEY, nullable=False),
        sa.Column("pickup", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("mtime", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("fetched_at", sa.Float(), nullable=False),
        sa.Column("file_name", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("fetched_by_path", "fetched", ["pickup", "path"], unique=False)


def downgrade() -> None:
    """Forget what was fetched."""
    op.drop_index("fetched_by_path", table_name="fetched")
    op.drop_table("fetched")
    op.drop_table("pickups")
