"""Bring a database to the newest tables, from any working folder and without alembic.ini."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import MetaData
from sqlalchemy.engine import Connection
from sqlalchemy.exc import SAWarning, SQLAlchemyError

from storage.errors import LibraryTooNew


def current(connection: Connection) -> str | None:
    """Return the id of the last migration that ran. None = an empty database."""
    return MigrationContext.configure(connection).get_current_revision()


def newest() -> str:
    """Return the id of the newest migration this program knows."""
    head = _script().get_current_head()
    assert head is not None
    return head


def known() -> list[str]:
    """Return the id of every migration this program knows, oldest first."""
    return [script.revision for script in _script().walk_revisions()][::-1]


def differences(connection: Connection, metadata: MetaData) -> list[str]:
    """Return how the tables differ from those that this program expects, in a few words each."""
    try:
        found = compare_metadata(MigrationContext.configure(connection), metadata)
    except (SQLAlchemyError, SAWarning, LookupError, ValueError, TypeError) as error:
        # A key that leads to no column, for example: nothing of it can be compared.
        return [f"they cannot be understood ({error})"[:200]]
    # A changed column is a list of changes, everything else is one change.
    changes = [part for item in found for part in (item if isinstance(item, list) else [item])]
    return [_told(change) for change in changes]


def _told(change: tuple[Any, ...]) -> str:
    """Return what would mend the tables, such as `add_column project created_at`."""
    verb, *about = change
    names = [str(getattr(part, "name", part)) for part in about if part is not None]
    return f"{' '.join([verb, *names])[:200]} would mend them"


def require_known(migration: str | None) -> None:
    """Raise `LibraryTooNew` if this program does not know the migration."""
    if migration is not None and migration not in known():
        raise LibraryTooNew(
            f"This library has migration {migration}; this version knows up to {newest()}. "
            "Install the version that wrote the library, or restore one of its backups."
        )


def upgrade(connection: Connection) -> None:
    """Run every migration that has not run yet. A second call does nothing."""
    script = _script()

    def steps(revision: Any, _context: MigrationContext) -> Any:
        return script._upgrade_revs("head", revision)

    with EnvironmentContext(_config(), script, fn=steps) as environment:
        environment.configure(
            connection=connection,
            transaction_per_migration=True,
            transactional_ddl=True,  # our connections emit BEGIN themselves, so SQLite's is too
            render_as_batch=True,
        )
        environment.run_migrations()


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    return config


@functools.cache
def _script() -> ScriptDirectory:
    return ScriptDirectory.from_config(_config())
