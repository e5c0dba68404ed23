"""Pieces of long cuts; on PostgreSQL also the triggers that keep nodes, takes and entries.

A frozen copy of storage/schema.py as it was then: a released migration never changes.
"""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, ForeignKey, String

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_IMMUTABLE = ("node", "take", "memory_entry")


def upgrade() -> None:
    """Create the table, and the triggers that the first migration made for SQLite only."""
    op.create_table(
        "state_piece",
        Column("state_digest", String(64), ForeignKey("blob.digest"), primary_key=True),
        Column("piece_digest", String(64), ForeignKey("blob.digest"), primary_key=True),
    )
    op.create_index("ix_state_piece_piece_digest", "state_piece", ["piece_digest"])
    if op.get_bind().dialect.name == "postgresql":
        for name in _IMMUTABLE:
            _forbid_change(name)


def _forbid_change(name: str) -> None:
    op.execute(
        f"CREATE FUNCTION {name}_never_changes() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"RAISE EXCEPTION 'a row of {name} never changes'; END $$"
    )
    op.execute(
        f"CREATE FUNCTION {name}_stays() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "IF NOT EXISTS (SELECT 1 FROM schema_meta WHERE key = 'collecting') THEN "
        f"RAISE EXCEPTION 'a row of {name} is removed by collection only'; END IF; "
        "RETURN OLD; END $$"
    )
    op.execute(
        f"CREATE TRIGGER {name}_never_changes BEFORE UPDATE ON {name} "
        f"FOR EACH ROW EXECUTE FUNCTION {name}_never_changes()"
    )
    op.execute(
        f"CREATE TRIGGER {name}_stays BEFORE DELETE ON {name} "
        f"FOR EACH ROW EXECUTE FUNCTION {name}_stays()"
    )
