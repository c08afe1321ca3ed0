"""The ledger's history of shapes, applied by Alembic when the ledger is opened."""
