"""Tallies: how many deliveries of a file stand in each state, so that the balance is told at once."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_MOVED = "OLD.state {other} NEW.state OR OLD.account {other} NEW.account OR OLD.batch_id {other} NEW.batch_id"
_LESS = (
    "UPDATE tallies SET number = number - 1"
    " WHERE batch_id = OLD.batch_id AND account = OLD.account AND state = OLD.state"
)
_MORE = (
    "INSERT INTO tallies (batch_id, account, state, number) VALUES (NEW.batch_id, NEW.account, NEW.state, 1)"
    " ON CONFLICT (batch_id, account, state) DO UPDATE SET number = {table}number + 1"
)
_SQLITE = (
    (
        "CREATE TRIGGER deliveries_moved AFTER UPDATE OF state, account, batch_id ON deliveries"
        f" WHEN {_MOVED.format(other='IS NOT')} BEGIN {_LESS}; {_MORE.format(table='')}; END"
    ),
    f"CREATE TRIGGER deliveries_gone AFTER DELETE ON deliveries BEGIN {_LESS}; END",
)
_POSTGRESQL = (
    (
        "CREATE FUNCTION tally() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"{_LESS}; IF TG_OP = 'UPDATE' THEN {_MORE.format(table='tallies.')}; END IF; RETURN NULL; END $$"
    ),
    (
        "CREATE TRIGGER deliveries_moved AFTER UPDATE OF state, account, batch_id ON deliveries FOR EACH ROW"
        f" WHEN ({_MOVED.format(other='IS DISTINCT FROM')}) EXECUTE FUNCTION tally()"
    ),
    "CREATE TRIGGER deliveries_gone AFTER DELETE ON deliveries FOR EACH ROW EXECUTE FUNCTION tally()",
)


def upgrade() -> None:
    """Count once what is there, and from now on what moves or goes; what comes is added where it is inserted."""
    op.create_table(
        "tallies",
        sa.Column("batch_id", sa.Integer(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("batch_id", "account", "state"),
    )
    connection = op.get_bind()
    connection.exec_driver_sql(
        "INSERT INTO tallies (batch_id, account, state, number)"
        " SELECT batch_id, account, state, count(*) FROM deliveries GROUP BY batch_id, account, state"
    )
    for statement in _SQLITE if connection.dialect.name == "sqlite" else _POSTGRESQL:
        connection.exec_driver_sql(statement)


def downgrade() -> None:
    """Count no more."""
    connection = op.get_bind()
    on = "" if connection.dialect.name == "sqlite" else " ON deliveries"
    for name in ("deliveries_moved", "deliveries_gone"):
        connection.exec_driver_sql(f"DROP TRIGGER {name}{on}")
    if on:
        connection.exec_driver_sql("DROP FUNCTION tally")
    op.drop_table("tallies")
