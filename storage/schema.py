"""The tables. Rows that carry meaning are never changed: triggers of the migrations refuse it."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    text,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

schema_meta = Table(
    "schema_meta",
    metadata,
    Column("key", String, primary_key=True),
    Column("value", Text, nullable=False),
)

blob = Table(
    "blob",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("size", BigInteger, nullable=False),
    Column("media_type", String, nullable=False),
    Column("inline", LargeBinary),
    Column("created_at", BigInteger, nullable=False),
)

# A pin comes before its blob's row, so it refers to none.
blob_pin = Table(
    "blob_pin",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("owner", String, primary_key=True),
    Column("created_at", BigInteger, nullable=False),
)

project = Table(
    "project",
    metadata,
    Column("id", String, primary_key=True),
    Column("name", String, nullable=False),
    Column("rate_numerator", Integer, nullable=False),
    Column("rate_denominator", Integer, nullable=False),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Column("settings_json", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("deleted_at", BigInteger),
)

shot = Table(
    "shot",
    metadata,
    Column("id", String, primary_key=True),
    Column("project_id", String, ForeignKey("project.id"), nullable=False, index=True),
)

node = Table(
    "node",
    metadata,
    Column("id", String, primary_key=True),
    Column("project_id", String, ForeignKey("project.id"), nullable=False, index=True),
    Column("parent_id", String, ForeignKey("node.id")),
    Column("jump_id", String, ForeignKey("node.id")),
    Column("depth", Integer, nullable=False),
    Column("op_kind", String, nullable=False),
    Column("op_json", Text, nullable=False),
    Column("label", String, nullable=False),
    Column("state_digest", String(64), ForeignKey("blob.digest"), nullable=False),
    Column("chain_digest", String(64), nullable=False),
    Column("author", String, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("row_digest", String(64), nullable=False),
)

# What keeps the pieces of a long cut; the state itself names them in order.
state_piece = Table(
    "state_piece",
    metadata,
    Column("state_digest", String(64), ForeignKey("blob.digest"), primary_key=True),
    Column("piece_digest", String(64), ForeignKey("blob.digest"), primary_key=True, index=True),
)

branch = Table(
    "branch",
    metadata,
    Column("project_id", String, ForeignKey("project.id"), primary_key=True),
    Column("name", String, primary_key=True),
    Column("head_node", String, ForeignKey("node.id"), nullable=False),
    Column("tip_node", String, ForeignKey("node.id"), nullable=False),
    Column("rev", Integer, nullable=False),
)

reflog = Table(
    "reflog",
    metadata,
    Column("seq", Integer, primary_key=True),
    Column("project_id", String, ForeignKey("project.id"), nullable=False, index=True),
    Column("branch", String, nullable=False),
    Column("old_node", String, ForeignKey("node.id")),
    Column("new_node", String, ForeignKey("node.id"), nullable=False),
    Column("reason", String, nullable=False),
    Column("at", BigInteger, nullable=False),
    sqlite_autoincrement=True,
)

take = Table(
    "take",
    metadata,
    Column("id", String, primary_key=True),
    Column("shot_id", String, ForeignKey("shot.id"), nullable=False),
    Column("kind", String, nullable=False),
    Column("number", Integer, nullable=False),
    Column("spec_json", Text, nullable=False),
    Column("spec_digest", String(64), nullable=False, index=True),
    Column("media_digest", String(64), ForeignKey("blob.digest"), nullable=False),
    Column("latents_digest", String(64), ForeignKey("blob.digest")),
    Column("strip_digest", String(64), ForeignKey("blob.digest"), nullable=False),
    Column("strip_tiles", Integer, nullable=False),
    Column("num_frames", Integer, nullable=False),
    Column("rate_numerator", Integer, nullable=False),
    Column("rate_denominator", Integer, nullable=False),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Column("seed", BigInteger, nullable=False),
    Column("engine_version", String, nullable=False),
    Column("memory_tokens", Integer, nullable=False),
    Column("sources_json", Text, nullable=False),
    Column("seconds_json", Text, nullable=False),
    Column("job_id", String),
    Column("fence", Integer, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("row_digest", String(64), nullable=False),
    Index("uq_take_shot_number", "shot_id", "number", unique=True),
)

memory_entry = Table(
    "memory_entry",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("system", String, nullable=False),
    Column("fingerprint", String, nullable=False),
    Column("scope", String, nullable=False),
    Column("previous_key", String(64), nullable=False),
    Column("latents_digest", String(64), ForeignKey("blob.digest"), nullable=False, index=True),
    Column("blob_digest", String(64), ForeignKey("blob.digest"), nullable=False),
    Column("num_tokens", Integer, nullable=False),
    Column("num_bytes", BigInteger, nullable=False),
    Column("row_digest", String(64), nullable=False),
)

worker = Table(
    "worker",
    metadata,
    Column("id", String, primary_key=True),
    Column("kind", String, nullable=False),
    Column("device", String, nullable=False),
    Column("pid", Integer, nullable=False),
    Column("boot_id", String, nullable=False),
    Column("pid_start_time", String, nullable=False),
    Column("heartbeat_at", BigInteger, nullable=False),
)

job = Table(
    "job",
    metadata,
    Column("id", String, primary_key=True),
    Column("kind", String, nullable=False),
    Column("project_id", String, ForeignKey("project.id"), nullable=False, index=True),
    Column("shot_id", String, ForeignKey("shot.id")),
    Column("spec_json", Text, nullable=False),
    Column("queueing_key", String),
    Column("priority", Integer, nullable=False),
    Column("position", Integer, nullable=False),
    Column("state", String, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("max_attempts", Integer, nullable=False),
    Column("fence", Integer, nullable=False),
    Column("tenths", Integer, nullable=False),
    Column("worker_id", String),
    Column("heartbeat_at", BigInteger),
    Column("lease_until", BigInteger),
    Column("not_before", BigInteger, nullable=False),
    Column("cancel_requested", Boolean, nullable=False),
    Column("error_json", Text),
    Column("result_json", Text),
    Column("created_at", BigInteger, nullable=False),
    Column("started_at", BigInteger),
    Column("finished_at", BigInteger),
    Index("ix_job_state", "state"),
    Index(
        "uq_job_waiting",
        "queueing_key",
        unique=True,
        sqlite_where=text("state = 'queued'"),
        postgresql_where=text("state = 'queued'"),
    ),
)

event = Table(
    "event",
    metadata,
    Column("seq", Integer, primary_key=True),
    Column("project_id", String, ForeignKey("project.id")),
    Column("job_id", String),
    Column("kind", String, nullable=False),
    Column("payload_json", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Index("ix_event_project_seq", "project_id", "seq"),
    sqlite_autoincrement=True,
)

export = Table(
    "export",
    metadata,
    Column("id", String, primary_key=True),
    Column("project_id", String, ForeignKey("project.id"), nullable=False, index=True),
    Column("node_id", String, ForeignKey("node.id"), nullable=False),
    Column("spec_json", Text, nullable=False),
    Column("media_digest", String(64), ForeignKey("blob.digest")),
    Column("state", String, nullable=False),
    Column("created_at", BigInteger, nullable=False),
)

# What an editor thinks of a take. The take itself never changes.
take_mark = Table(
    "take_mark",
    metadata,
    Column("take_id", String, ForeignKey("take.id"), primary_key=True),
    Column("rating", Integer, nullable=False),
    Column("trashed_at", BigInteger),
)

# What was measured and can be measured again: losing a row loses time, never work.
measurement = Table(
    "measurement",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("kind", String, nullable=False, index=True),
    Column("payload_json", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
)

# Preferences of the library: keys, theme, whether the queue is paused.
setting = Table(
    "setting",
    metadata,
    Column("name", String, primary_key=True),
    Column("value_json", Text, nullable=False),
    Column("changed_at", BigInteger, nullable=False),
)
