"""The protections that the mutation drill takes away, each with the tests that must notice."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Mutant:
    """One protection that is taken away."""

    name: str
    file: str
    before: str
    """Text that occurs exactly once in the file."""
    after: str
    suite: tuple[str, ...]
    """Arguments of pytest: what must fail without the protection and pass with it."""


POWER = (
    "tests/faults/test_torture.py::test_a_power_cut_at_any_instant_keeps_what_was_acknowledged",
)
BLOB_TESTS = "tests/storage/test_blobs.py"
DURABILITY = "tests/storage/test_durability.py"
CHECKS = "tests/storage/test_check.py"
ROWS = "tests/storage/test_takes_and_memory.py"
GUARD_TESTS = "tests/studio/web/test_guard.py"
INGEST_TESTS = "tests/studio/media/test_ingest.py"
BUNDLE_TESTS = "tests/storage/test_bundle_refusals.py"
MODEL_TESTS = "tests/engine/models/test_checkpoint.py"

BLOBS = "storage/blobs.py"
DATABASE = "storage/database.py"
REFERENCES = "storage/references.py"
RULES = "storage/check_rows.py"
GUARD = "studio/web/guard.py"
INGEST = "studio/media/ingest.py"

DURABLE = (
    Mutant(
        name="fsync of a blob's file",
        file=BLOBS,
        before="                file.flush()\n                os.fsync(file.fileno())\n",
        after="                file.flush()\n",
        suite=POWER,
    ),
    Mutant(
        name="fsync of a blob's folder",
        file=BLOBS,
        before="        sync_folder(final.parent)\n",
        after="",
        suite=POWER,
    ),
    Mutant(
        name="second fsync of a blob that exists",
        file=BLOBS,
        before=(
            '            with final.open("rb") as file:\n                os.fsync(file.fileno())\n'
        ),
        after="            pass\n",
        suite=(
            f"{BLOB_TESTS}::test_a_file_that_exists_is_synced_again_because_its_writer_may_have_been_killed",
        ),
    ),
    Mutant(
        name="fsync of the folder of a deleted blob",
        file=BLOBS,
        before="            path.unlink()\n            sync_folder(path.parent)\n",
        after="            path.unlink()\n",
        suite=(f"{DURABILITY}::test_a_deleted_blob_stays_deleted",),
    ),
    Mutant(
        name="fsync of the quarantine",
        file=BLOBS,
        before="        sync_folder(aside)\n",
        after="",
        suite=(f"{DURABILITY}::test_a_blob_in_quarantine_stays_there",),
    ),
    Mutant(
        name="fsync of the folders of a new store",
        file=BLOBS,
        before="            sync_folder(self.root)\n",
        after="",
        suite=(f"{DURABILITY}::test_the_folders_of_a_new_store_outlive_a_power_cut",),
    ),
    Mutant(
        name="fsync of the folder of a new database",
        file=DATABASE,
        before="            sync_folder(self.folder)  # else",
        after="            pass  # else",
        suite=(f"{DURABILITY}::test_the_name_of_a_new_library_outlives_a_power_cut",),
    ),
    Mutant(
        name="fsync of a backup's file",
        file="storage/backup.py",
        before="        os.fsync(file.fileno())\n",
        after="        file.fileno()\n",
        suite=(f"{DURABILITY}::test_a_backup_has_its_bytes_before_its_name",),
    ),
    Mutant(
        name="fsync of a backup's folder",
        file="storage/backup.py",
        before="    sync_folder(path.parent)\n",
        after="",
        suite=(f"{DURABILITY}::test_a_backup_has_its_bytes_before_its_name",),
    ),
    Mutant(
        name="pin before a blob is visible",
        file=BLOBS,
        before="            if pin is not None:\n                pin(digest)\n",
        after="",
        suite=(f"{BLOB_TESTS}::test_the_pin_is_told_the_digest_while_the_file_is_still_hidden",),
    ),
    Mutant(
        name="synchronous FULL to NORMAL",
        file="storage/sqlite.py",
        before='"synchronous": "FULL"',
        after='"synchronous": "NORMAL"',
        suite=POWER,
    ),
    Mutant(
        name="backup before a migration",
        file=DATABASE,
        before="            backup.take_before_migration(",
        after="            (lambda *_: None)(",
        suite=("tests/storage/test_backup.py::test_a_migration_is_preceded_by_a_backup",),
    ),
    Mutant(
        name="a lost database is no first start",
        file=DATABASE,
        before="            self._require_no_remains()\n",
        after="            pass\n",
        suite=("tests/storage/test_lost_database.py",),
    ),
)

DIGESTS = (
    Mutant(
        name="row digest of takes",
        file=RULES,
        before="    if takes.row_digest(takes.record(row)) != row.row_digest:\n",
        after="    if False:\n",
        suite=(CHECKS, "-k", "changed_row and UPDATE and take"),
    ),
    Mutant(
        name="row digest of nodes",
        file=RULES,
        before="    if tree.row_digest(found) != row.row_digest:\n",
        after="    if False:\n",
        suite=(CHECKS, "-k", "changed_row and node"),
    ),
    Mutant(
        name="row digest of entries",
        file=RULES,
        before="    if memory.row_digest(Entry(**values)) != row.row_digest:\n",
        after="    if False:\n",
        suite=(CHECKS, "-k", "changed_row and memory_entry"),
    ),
    Mutant(
        name="chain digest of nodes",
        file=RULES,
        before="    if chain != found.chain_digest:\n",
        after="    if False:\n",
        suite=(f"{CHECKS}::test_a_node_moved_to_another_past_is_found_even_with_a_new_row_digest",),
    ),
    Mutant(
        name="log of moves against the head",
        file=RULES,
        before="    if moves != row.rev:\n",
        after="    if False:\n",
        suite=(CHECKS, "-k", "changed_row and branch"),
    ),
    Mutant(
        name="digest of a blob when it is read",
        file=BLOBS,
        before="        if actual != digest:\n",
        after="        if False:\n",
        suite=(BLOB_TESTS,),
    ),
    Mutant(
        name="digest of inline bytes when they are read",
        file=REFERENCES,
        before="        elif hashlib.sha256(data).hexdigest() != digest:\n",
        after="        elif False:\n",
        suite=(f"{ROWS}::test_changed_inline_bytes_are_noticed",),
    ),
    Mutant(
        name="digest of inline bytes when they are stored",
        file=REFERENCES,
        before="    elif len(inline) != size or hashlib.sha256(inline).hexdigest() != digest:\n",
        after="    elif False:\n",
        suite=(f"{ROWS}::test_inline_bytes_must_have_their_digest",),
    ),
    Mutant(
        name="digest of a file when it gets its row",
        file=REFERENCES,
        before="        _require_sound(blobs_of(tx), digest, size)\n",
        after="        pass\n",
        suite=(f"{ROWS}::test_a_row_needs_a_file_of_that_size_and_digest",),
    ),
    Mutant(
        name="digest of the blobs of a bundle",
        file="storage/bundle_file.py",
        before="    if (digest, size) != (line.digest, line.size):\n",
        after="    if False:\n",
        suite=(f"{BUNDLE_TESTS}::test_any_changed_byte_of_a_blob_is_refused",),
    ),
    Mutant(
        name="definition of the tables",
        file="storage/check.py",
        before="(_pages, _schema, _tables, _blobs, ",
        after="(_pages, _schema, _blobs, ",
        suite=(
            "tests/storage/test_check.py::test_a_flipped_letter_in_a_tables_definition_is_found",
        ),
    ),
    Mutant(
        name="digest of the rows of a bundle",
        file="storage/bundle_file.py",
        before="if rest or (sha.hexdigest(), size, count) != (part.digest, part.size, part.rows):",
        after="if False:",
        suite=("tests/storage/test_bundle_lies.py::test_changed_rows_are_refused",),
    ),
)

RACES = (
    Mutant(
        name="fence of a finished job",
        file="storage/queue.py",
        before="_job.c.id == job_id, _job.c.fence == fence, _job.c.state.in_(states)",
        after="_job.c.id == job_id, _job.c.state.in_(states)",
        suite=("tests/storage/test_jobs.py", "-k", "stale_run or checks_the_fence"),
    ),
    Mutant(
        name="revision of a branch",
        file="storage/history.py",
        before="    if expected_rev is not None and found.rev != expected_rev:\n",
        after="    if False:\n",
        suite=("tests/faults/test_torture.py::test_tabs_that_edit_at_once_lose_no_edit",),
    ),
    Mutant(
        name="second look of collection under the writer's lock",
        file="storage/collect.py",
        before="{d: n for d, n in _candidates(tx, library, grace) if d in wanted}",
        after="dict(wanted)",
        suite=("tests/storage/test_collect.py", "-k", "between_the_looks and sqlite"),
    ),
    Mutant(
        name="pins when collection moves files",
        file="storage/collect.py",
        before="        digests = digests - references.pinned(tx)\n",
        after="",
        suite=("tests/storage/test_collect.py", "-k", "between_row_and_file and sqlite"),
    ),
    Mutant(
        name="lock of the library",
        file=DATABASE,
        before="            held = lock.acquire(folder, address)\n",
        after="            held = lock.acquire(folder / str(id(address)), address)\n",
        suite=("tests/storage/test_database.py", "-k", "second_open or second_server"),
    ),
    Mutant(
        name="refusal of a newer library",
        file=DATABASE,
        before="        upgrade.require_known(migration)\n",
        after="",
        suite=("tests/storage/test_database.py::test_a_library_of_a_newer_version_is_left_alone",),
    ),
    Mutant(
        name="end of the engine with its server",
        file="engine/worker.py",
        before="        except (EOFError, OSError, ProtocolError):\n            os._exit(0)\n",
        after="        except (EOFError, OSError, ProtocolError):\n            return\n",
        suite=("tests/engine/test_orphans.py",),
    ),
)

STRANGERS = (
    Mutant(
        name="Host of a request",
        file=GUARD,
        before="        if len(hosts) != 1 or hosts[0] not in self._hosts:\n",
        after="        if False:\n",
        suite=(GUARD_TESTS, "-k", "test_s1"),
    ),
    Mutant(
        name="Origin of a request",
        file=GUARD,
        before="        if len(origins) > 1 or (origins and origins[0] not in self._origins):\n",
        after="        if False:\n",
        suite=(GUARD_TESTS, "-k", "test_s3"),
    ),
    Mutant(
        name="Fetch metadata of a request",
        file=GUARD,
        before='            return all(site in ("same-origin", "none") for site in sites)\n',
        after="            return True\n",
        suite=(GUARD_TESTS, "-k", "test_s6"),
    ),
    Mutant(
        name="token of a request",
        file=GUARD,
        before="        return 0 if self._has_token(scope) else 401\n",
        after="        return 0\n",
        suite=(GUARD_TESTS, "-k", "test_s7"),
    ),
    Mutant(
        name="routes of Gradio that are closed",
        file=GUARD,
        before=' or scope["path"].startswith(CLOSED):\n',
        after=":\n",
        suite=(GUARD_TESTS, "-k", "not_used_are_closed"),
    ),
    Mutant(
        name="protocols that media may open",
        file=INGEST,
        before='    "protocol_whitelist": "file",\n',
        after='    "protocol_whitelist": "file,concat,http,tcp,crypto,data",\n',
        suite=(INGEST_TESTS, "-k", "no_protocol"),
    ),
    Mutant(
        name="formats that media may have",
        file=INGEST,
        before='    "format_whitelist": "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts",\n',
        after="",
        suite=(INGEST_TESTS, "-k", "playlist"),
    ),
    Mutant(
        name="classes that a model may name",
        file="engine/models/checkpoint.py",
        before='    if config.get("_class_name") != expected:\n',
        after="    if False:\n",
        suite=(MODEL_TESTS, "-k", "class_from_elsewhere"),
    ),
    Mutant(
        name="paths of the members of a bundle",
        file="storage/bundle_file.py",
        before="            _require_member(info)\n",
        after="",
        suite=(BUNDLE_TESTS, "-k", "name_that_no_bundle_has or is_a_link or link_is_refused"),
    ),
)

MUTANTS = (*DURABLE, *DIGESTS, *RACES, *STRANGERS)
