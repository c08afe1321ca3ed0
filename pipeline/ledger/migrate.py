"""Building a ledger, or bringing an older one up to this version: copied first, changed in one transaction."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from pipeline.errors import LedgerError
from pipeline.ledger.copies import before_migration


def migrate(engine: sa.Engine, version: str | None) -> None:
    """From ``version`` (``None``: nothing is there) to the newest; ``LedgerError`` leaves what was there in place."""
    config = _config()
    if version is None:
        _upgrade(engine, config)
        return
    if version not in _known(config):
        raise LedgerError(
            f"The ledger was written by a newer orderdrop (version {version}). Install that one; nothing was touched."
        )
    copy = before_migration(Path(engine.url.database or ""), version) if _is_file(engine) else None
    try:
        _upgrade(engine, config)
    except (SQLAlchemyError, OSError, ValueError, LookupError) as problem:
        kept = f" A copy is {copy}." if copy else ""
        raise LedgerError(
            f"The ledger could not be brought from version {version} to this one ({_first_line(problem)}). It is as it "
            f"was before.{kept} Make room on the disk if that is what is missing; else go on with the orderdrop from "
            "before and report this."
        ) from problem


def _upgrade(engine: sa.Engine, config: Any) -> None:  # noqa: ANN401 - alembic is only loaded when needed
    from alembic import command

    with engine.execution_options(immediate=True).begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _config() -> Any:  # noqa: ANN401 - alembic is only loaded when needed
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    return config


def _known(config: Any) -> set[str]:  # noqa: ANN401 - alembic is only loaded when needed
    from alembic.script import ScriptDirectory

    return {revision.revision for revision in ScriptDirectory.from_config(config).walk_revisions()}


def _is_file(engine: sa.Engine) -> bool:
    return engine.url.get_backend_name() == "sqlite" and (engine.url.database or ":memory:") != ":memory:"


def _first_line(problem: Exception) -> str:
    return str(getattr(problem, "orig", None) or problem).strip().partition("\n")[0]
