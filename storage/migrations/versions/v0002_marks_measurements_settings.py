"""Ratings and the trash of takes, cached measurements, and settings of the library.

A frozen copy of storage/schema.py as it was then: a released migration never changes.
"""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Column, ForeignKey, Integer, String, Text

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the three tables."""
    op.create_table(
        "take_mark",
        Column("take_id", String, ForeignKey("take.id"), primary_key=True),
        Column("rating", Integer, nullable=False),
        Column("trashed_at", BigInteger),
    )
    op.create_table(
        "measurement",
        Column("key", String(64), primary_key=True),
        Column("kind", String, nullable=False),
        Column("payload_json", Text, nullable=False),
        Column("created_at", BigInteger, nullable=False),
    )
    op.create_index("ix_measurement_kind", "measurement", ["kind"])
    op.create_table(
        "setting",
        Column("name", String, primary_key=True),
        Column("value_json", Text, nullable=False),
        Column("changed_at", BigInteger, nullable=False),
    )
