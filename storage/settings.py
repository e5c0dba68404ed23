"""Settings of the library: small JSON values by name, the same for every page that is open."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import delete, insert, select
from sqlalchemy.engine import Connection

from storage import schema
from storage.canonical import canonical
from storage.database import now

_setting = schema.setting
STILLS = "stills:"
"""Before a project's id: the digests of its stills, which nothing else names for good."""


def get(tx: Connection, name: str, default: Any = None) -> Any:
    """Return a setting, or `default` where it was never set."""
    row = tx.execute(select(_setting).where(_setting.c.name == name)).one_or_none()
    return default if row is None else json.loads(row.value_json)


def put(tx: Connection, name: str, value: Any) -> None:
    """Store a setting."""
    tx.execute(delete(_setting).where(_setting.c.name == name))
    encoded = canonical(value).decode()
    tx.execute(insert(_setting).values(name=name, value_json=encoded, changed_at=now(tx)))
