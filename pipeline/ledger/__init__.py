"""What happened, once: the only code that opens the database."""

HEAD = "0007"
"""The newest migration; Alembic is only loaded when a ledger is not there yet, or older."""
