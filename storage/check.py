"""Check: every digest and every reference of a library, with what to do about each problem.

SQLite does not checksum its pages, so rows that carry meaning have digests of their own; blobs are
named by theirs. What is generated can be generated again from its spec, so most damage is mended
without a backup.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from sqlalchemy import Select, Table, func, or_, select
from sqlalchemy.engine import Connection, Row
from sqlalchemy.exc import DatabaseError

from storage import check_rows, history, projects, references, schema
from storage.database import Library
from storage.errors import BlobCorrupt, BlobMissing, StorageError
from storage.migrations import upgrade

_Rows = Select[tuple[object, ...]]


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One thing that is not as it should be."""

    kind: str
    """database, schema, project, branch, node, state, take, entry, or blob_, latents_ or entry_
    with missing or corrupt."""
    subject: str
    """Id or digest of what is wrong."""
    message: str
    repair: str
    """regenerate, recompute, restore or none."""
    takes: tuple[str, ...] = ()
    """Takes that show or hold what is lost."""
    is_warning: bool = False
    """True = nothing an editor sees is lost."""

    @property
    def advice(self) -> str:
        """What to do about it, in words."""
        return ADVICE[self.repair]

    @property
    def command(self) -> str:
        """What to type to do it. Empty = nothing is to be done."""
        return COMMANDS[self.repair]


ADVICE = {
    "regenerate": "It was generated: the same recipe and seed make it again.",
    "recompute": "It is made again from the latents when a shot next reads it.",
    "restore": "Only a backup brings it back.",
    "none": "Nothing that is shown is lost.",
}
"""What each kind of repair does."""
COMMANDS = {
    "regenerate": "python app.py check --all --read-data --repair",
    "recompute": "python app.py check --all --read-data --repair",
    "restore": "python app.py backup --list",
    "none": "",
}
"""The command of each kind of repair."""


@dataclass(frozen=True, kw_only=True)
class Report:
    """What a check found."""

    problems: list[Problem] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    """How many rows, files and bytes were looked at."""

    @property
    def is_clean(self) -> bool:
        """Whether there is no problem beyond warnings."""
        return all(problem.is_warning for problem in self.problems)


def check(library: Library, *, read_data: bool) -> Report:
    """Look at every row and every blob of an open library, in one read transaction.

    Args:
        library: whose rows and blobs.
        read_data: also hash every blob again and let SQLite check its indexes.
    """
    report = Report()
    with library.read() as tx:
        look = _Look(tx=tx, library=library, counts=report.counts, read_data=read_data)
        for section in (_pages, _schema, _tables, _blobs, _nodes, _branches, _takes, _entries):
            try:
                report.problems.extend(section(look))
            except (DatabaseError, StorageError, ValueError, TypeError) as error:
                # A damaged page can make a whole table unreadable: report it and go on.
                name = section.__name__.removeprefix("_")
                message = f"The {name} could not be read to the end ({error})."
                report.problems.append(
                    Problem(kind="database", subject=name, message=message, repair="restore")
                )
    return report


def check_quickly(library: Library) -> Report:
    """Look at what every start should look at, in less than a second: tables, references, heads."""
    report = Report()
    with library.read() as tx:
        look = _Look(tx=tx, library=library, counts=report.counts, read_data=False)
        for section in (_schema, _tables):
            report.problems.extend(section(look))
        if report.problems:
            return report  # with other tables than expected no row can be read
        for message in library.reference_problems(tx):
            report.problems.append(
                Problem(kind="database", subject="pages", message=message, repair="restore")
            )
        damaged = damaged_projects(tx)
        report.counts["projects"] = len(projects.list_all(tx, include_deleted=True))
    for project_id, message in damaged.items():
        report.problems.append(
            Problem(kind="project", subject=project_id, message=message, repair="restore")
        )
    return report


def damaged_projects(tx: Connection) -> dict[str, str]:
    """Return which projects cannot be shown, each with the reason. Quick: heads only."""
    damaged = {}
    for project in projects.list_all(tx, include_deleted=True):
        try:
            history.head(tx, project.id)
        except (StorageError, ValueError, KeyError, TypeError) as error:
            damaged[project.id] = str(error)
    return damaged


@dataclass(frozen=True, kw_only=True)
class _Look:
    tx: Connection
    library: Library
    counts: dict[str, int]
    read_data: bool


def _pages(look: _Look) -> Iterator[Problem]:
    for message in look.library.page_problems(look.tx, thorough=look.read_data):
        yield Problem(kind="database", subject="pages", message=message, repair="restore")


def _schema(look: _Look) -> Iterator[Problem]:
    found = upgrade.current(look.tx)
    if found != upgrade.newest():
        message = f"The tables are those of migration {found}. Expected {upgrade.newest()}."
        yield Problem(kind="schema", subject=str(found), message=message, repair="restore")


def _tables(look: _Look) -> Iterator[Problem]:
    # A flipped bit in a table's definition renames a column, and no page knows of it.
    for difference in upgrade.differences(look.tx, schema.metadata):
        message = f"The tables are not as they were made: {difference}."
        yield Problem(kind="schema", subject="tables", message=message, repair="restore")


def _blobs(look: _Look) -> Iterator[Problem]:
    blob, counts = schema.blob, look.counts
    known = set()
    counts.update(blobs=0, bytes=0)
    query = select(blob.c.digest, blob.c.size, blob.c.inline.is_(None).label("is_file"))
    for row in look.tx.execute(query.order_by(blob.c.digest)):
        known.add(row.digest)
        counts["blobs"] += 1
        counts["bytes"] += row.size
        try:
            _require_blob(look, row)
        except BlobMissing as error:
            yield _blob_problem(look.tx, row.digest, "blob_missing", error)
        except BlobCorrupt as error:
            yield _blob_problem(look.tx, row.digest, "blob_corrupt", error)
    counts["files_without_row"] = sum(1 for d in look.library.blobs.list() if d not in known)


def _require_blob(look: _Look, row: Row[tuple[object, ...]]) -> None:
    if not row.is_file:
        size = len(references.read(look.tx, row.digest))
    else:
        size = look.library.blobs.size(row.digest)
        if look.read_data:
            look.library.blobs.verify(row.digest)
    if size != row.size:
        raise BlobCorrupt(f"Blob {row.digest} has {size} bytes. Expected {row.size}.")


def _blob_problem(tx: Connection, digest: str, kind: str, error: StorageError) -> Problem:
    take, entry = schema.take, schema.memory_entry
    shown = select(take.c.id, take.c.kind).where(
        or_(take.c.media_digest == digest, take.c.strip_digest == digest)
    )
    showing = tx.execute(shown).all()
    repair, users = "none", [f"take {row.id}" for row in showing]
    needed = [str(row.id) for row in showing]
    if showing:
        # Footage cannot be made again: only its file brings it back.
        repair = "restore" if any(row.kind == "footage" for row in showing) else "regenerate"
    elif latents := tx.execute(select(take.c.id).where(take.c.latents_digest == digest)).all():
        users = [f"the latents of take {row.id}" for row in latents]
        needed = [str(row.id) for row in latents]
        kind, repair = kind.replace("blob", "latents"), "regenerate"
    elif entries := tx.execute(select(entry.c.key).where(entry.c.blob_digest == digest)).all():
        users = [f"entry {row.key}" for row in entries]
        kind, repair = kind.replace("blob", "entry"), "recompute"
    return Problem(
        kind=kind,
        subject=digest,
        message=f"{error} It holds {', '.join(users) or 'nothing that is shown'}.",
        repair=repair,
        takes=tuple(needed),
        is_warning=not showing,
    )


def _nodes(look: _Look) -> Iterator[Problem]:
    query = select(schema.node).order_by(schema.node.c.depth)
    look.counts["nodes"] = _count(look.tx, schema.node)
    yield from _problems("node", "restore", look.tx, query, check_rows.node)
    yield from _problems("state", "restore", look.tx, query, check_rows.state)


def _branches(look: _Look) -> Iterator[Problem]:
    look.counts["branches"] = _count(look.tx, schema.branch)
    for row in look.tx.execute(select(schema.branch)):
        for message in _said(check_rows.branch, look.tx, row):
            subject = f"{row.project_id} {row.name}"
            yield Problem(kind="branch", subject=subject, message=message, repair="restore")


def _takes(look: _Look) -> Iterator[Problem]:
    look.counts["takes"] = _count(look.tx, schema.take)
    yield from _problems("take", "restore", look.tx, select(schema.take), check_rows.take)


def _entries(look: _Look) -> Iterator[Problem]:
    look.counts["entries"] = _count(look.tx, schema.memory_entry)
    query = select(schema.memory_entry.c.key.label("id"), schema.memory_entry)
    yield from _problems("entry", "recompute", look.tx, query, check_rows.entry)


def _problems(
    kind: str, repair: str, tx: Connection, query: _Rows, rule: check_rows.Rule
) -> Iterator[Problem]:
    for row in tx.execute(query):
        for message in _said(rule, tx, row):
            yield Problem(kind=kind, subject=str(row.id), message=message, repair=repair)


def _said(rule: check_rows.Rule, tx: Connection, row: Row[tuple[object, ...]]) -> list[str]:
    try:
        return list(rule(tx, row))
    except (StorageError, ValueError, TypeError, KeyError) as error:
        # Damaged JSON, or a value of a type its column never holds.
        return [f"The row cannot be understood ({error})."]


def _count(tx: Connection, table: Table) -> int:
    return tx.execute(select(func.count()).select_from(table)).scalar_one()
