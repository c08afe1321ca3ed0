"""Indexes that hold only what is asked for: a delivery that is done, or a step, is in none of them any more."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

OPEN = sa.text("state = 'waiting' OR state = 'in_doubt'")
PUT_OFF = sa.text("due_at > created_at")
UNSETTLED = sa.text("state = 'refused' OR state = 'in_doubt'")
INTENDED = sa.text("state = 'intended'")
_OLD = {
    "deliveries_due": ("deliveries", ["account", "state", "due_at"]),
    "deliveries_in_line": ("deliveries", ["account", "state", "id"]),
    "deliveries_by_batch": ("deliveries", ["batch_id", "state"]),
    "steps_by_state": ("steps", ["state", "shares"]),
}
_NEW = {
    "deliveries_in_line": ("deliveries", ["account", "state", "id"], OPEN),
    "deliveries_put_off": ("deliveries", ["account", "state", "due_at"], PUT_OFF),
    "deliveries_unsettled": ("deliveries", ["batch_id", "state"], UNSETTLED),
    "steps_intended": ("steps", ["shares"], INTENDED),
}


def upgrade() -> None:
    """Each move of a delivery rewrote a page of every one of these."""
    for name, (table, _) in _OLD.items():
        op.drop_index(name, table_name=table)
    for name, (table, columns, some) in _NEW.items():
        op.create_index(name, table, columns, sqlite_where=some, postgresql_where=some)


def downgrade() -> None:
    """All of them, and of all rows."""
    for name, (table, _, _) in _NEW.items():
        op.drop_index(name, table_name=table)
    for name, (table, columns) in _OLD.items():
        op.create_index(name, table, columns)
