"""The first send of a step stands in the step's own row: as a rule it is the only one."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_NEW: dict[str, sa.types.TypeEngine[Any]] = {
    "sent_at": sa.Float(),
    "ended_at": sa.Float(),
    "outcome": sa.String(16),
    "code": sa.String(64),
    "message": sa.Text(),
}


def upgrade() -> None:
    """A row of its own, and a place in an index, were two more pages of every commit. What is there stays there."""
    for name, kind in _NEW.items():
        op.add_column("steps", sa.Column(name, kind, nullable=True))


def downgrade() -> None:
    """Every send in a row of its own again, the first ones after those that are there."""
    told = ", ".join(_NEW)
    op.execute(
        f"INSERT INTO attempts (step_id, {told}) SELECT id, {told} FROM steps WHERE sent_at IS NOT NULL ORDER BY id"  # noqa: S608 - our own names
    )
    for name in _NEW:
        op.drop_column("steps", name)
