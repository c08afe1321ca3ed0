"""How things stand, from the settings and the ledger alone: it answers at once, and also when a mapping is broken."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pipeline.closing.balance import balance, exit_code, owes_a_workbook
from pipeline.ledger.figures import Figures, quick_figures
from pipeline.model import DeliveryState
from pipeline.settings import load_settings
from pipeline.targets.registry import build_account


def read_status(folder: Path, *, recount: bool = False) -> tuple[dict[str, Any], int]:
    """The balance (FACE: ``orderdrop status --json``) and the exit code it comes to.

    Raises ``SetupError`` when settings or accounts are wrong, ``LedgerError`` when the ledger cannot be read.
    """
    settings = load_settings(folder)
    accounts = {name: build_account(name, table) for name, table in settings.accounts.items()}
    found = quick_figures(settings.ledger_url, recount=recount)
    if found is None:
        found = _figures(settings.ledger_url, recount=recount)
    told = balance(found, {name: account.target for name, account in accounts.items()})
    in_doubt = any(state == DeliveryState.IN_DOUBT for _, _, state, _ in found.deliveries)
    return told, max(exit_code(told, in_doubt=in_doubt), int(owes_a_workbook(found)))


def _figures(url: str, *, recount: bool) -> Figures:
    from pipeline.ledger.engine import open_engine
    from pipeline.ledger.figures import figures

    engine = open_engine(url)
    try:
        with engine.connect() as connection:
            return figures(connection, recount=recount)
    finally:
        engine.dispose()
