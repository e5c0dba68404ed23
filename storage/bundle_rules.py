"""What must hold of a stranger's rows before any of them is stored.

A bundle that keeps these rules is one that this program could have written itself.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable

from storage import memory, states, takes, tree
from storage.bundle_file import BlobLine, Reader
from storage.bundle_rows import Content, StoredNode
from storage.canonical import digest_of
from storage.errors import Refused
from storage.marks import MAX_RATING
from storage.records import Branch, Cut, Node, ReflogRow, Take
from storage.references import INLINE_BYTES

MAX_SHOTS = 20_000
"""Shots of one cut."""
MAX_FRAMES = 1 << 24
"""Frames of one shot; pixels of a side stay below it too."""

_ID_LENGTH = 64
_NAME_LENGTH = 200
_SAFETENSORS_HEADER = 100_000_000
_MEDIA: dict[str, Callable[[bytes, int], bool]] = {
    "video/mp4": lambda head, _: head[4:8] == b"ftyp",
    "image/jpeg": lambda head, _: head[:3] == b"\xff\xd8\xff",
    "image/png": lambda head, _: head[:8] == b"\x89PNG\r\n\x1a\n",
    "application/x-safetensors": lambda head, size: _is_safetensors(head, size),
    states.STATE_MEDIA_TYPE: lambda head, _: head[:1] == b"{",
    states.PIECE_MEDIA_TYPE: lambda head, _: head[:1] == b"[",
}
_MOVIES = ("video/mp4",)
_PICTURES = ("image/jpeg", "image/png")
_TENSORS = ("application/x-safetensors",)
_HEAD_BYTES = 16


def require(content: Content, reader: Reader) -> None:
    """Raise `Refused` at the first rule that the rows break. Reads the states, no other blob."""
    _require_project(content)
    _require_ids(content)
    _require_blobs(content, reader)
    _require_tree(content)
    _require_takes(content)
    _require_entries(content)
    _require_branches(content)
    shots = {row.id for row in content.shots}
    made = {take.id for take in content.takes}
    for digest in sorted({node.state_digest for node in content.nodes}):
        _require_cut(read_state(content, reader, digest), shots, made, digest)


def read_state(content: Content, reader: Reader, digest: str) -> Cut:
    """Return the cut of a state of the bundle, or raise `Refused` if it cannot be one."""
    lines = {line.digest: line for line in content.blobs}
    try:
        data = reader.read(_line(lines, digest, (states.STATE_MEDIA_TYPE,)))
        pieces = [
            reader.read(_line(lines, d, (states.PIECE_MEDIA_TYPE,))) for d in states.pieces_of(data)
        ]
        return states.assemble(data, pieces)
    except (
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        RecursionError,
        OverflowError,
    ) as error:
        raise Refused(f"State {digest} is no cut ({type(error).__name__}: {error}).") from error


def _require_project(content: Content) -> None:
    project = content.project
    if not 0 < len(project.name.strip()) <= _NAME_LENGTH:
        raise Refused(f"A name of {len(project.name)} characters. Expected 1 to {_NAME_LENGTH}.")
    sides = (project.width, project.height, *project.rate)
    if not all(0 < side < MAX_FRAMES for side in sides):
        raise Refused(f"A project with size and rate {sides}. Expected positives.")
    if project.deleted_at is not None:
        raise Refused("A project that says it is deleted. Expected one that is not.")


def _require_ids(content: Content) -> None:
    parts: dict[str, list[str]] = {
        "shots": [row.id for row in content.shots],
        "nodes": [row.id for row in content.nodes],
        "takes": [row.id for row in content.takes],
        "entries": [row.key for row in content.entries],
        "branches": [row.name for row in content.branches],
        "marks": [row.take_id for row in content.marks],
        "blobs": [row.digest for row in content.blobs],
    }
    ids = [content.project.id, *parts["shots"], *parts["nodes"], *parts["takes"]]
    for given in ids:
        if not 0 < len(given) <= _ID_LENGTH or not given.isprintable():
            raise Refused(f"An id {given[:80]!r}. Expected 1 to {_ID_LENGTH} characters.")
    parts["ids"] = ids
    for name, keys in parts.items():
        if len(keys) != len(set(keys)):
            raise Refused(f"Two of the {name} have the same id. Expected each once.")
    of_project: tuple[StoredNode | Branch | ReflogRow, ...] = (
        *content.nodes,
        *content.branches,
        *content.reflog,
    )
    for row in of_project:
        if row.project_id != content.project.id:
            raise Refused(
                f"A row of project {row.project_id[:80]!r}. Expected {content.project.id}: a "
                "bundle holds one project."
            )


def _require_blobs(content: Content, reader: Reader) -> None:
    told = {line.digest: line.size for line in content.blobs}
    if told != reader.blobs:
        odd = sorted(set(told.items()) ^ set(reader.blobs.items()))[0][0]
        raise Refused(f"Blob {odd[:80]} is not in the file with the size that is on its list.")
    for line in content.blobs:
        if line.inline and line.size > INLINE_BYTES:
            raise Refused(f"Blob {line.digest} of {line.size} bytes is too large for a database.")
        rule = _MEDIA.get(line.media_type)
        if rule is None:
            raise Refused(f"Blob {line.digest} is of type {line.media_type[:80]!r}.")
        if not rule(reader.head(line.digest, _HEAD_BYTES), line.size):
            raise Refused(f"Blob {line.digest} says it is {line.media_type} and is not.")


def _require_tree(content: Content) -> None:
    seen: dict[str, StoredNode] = {}
    for node in content.nodes:
        parent = None if node.parent_id is None else seen.get(node.parent_id)
        if parent is None and (node.parent_id is not None or seen):
            raise Refused(
                f"Node {node.id} follows {node.parent_id}, which does not come before it. "
                "Expected a tree with one root."
            )
        if node.depth != (parent.depth + 1 if parent else 0):
            raise Refused(f"Node {node.id} has depth {node.depth}, which is not its place.")
        if node.jump_id != (jump_of_child(seen, parent) if parent else None):
            raise Refused(f"Node {node.id} jumps to {node.jump_id}, which is not its ancestor.")
        chain = tree.chain_digest(
            parent.chain_digest if parent else "", node.project_id, node.op, node.state_digest
        )
        if (chain, tree.row_digest(node)) != (node.chain_digest, node.row_digest):
            raise Refused(f"Node {node.id} was changed after it was stored: wrong digests.")
        seen[node.id] = node
    if not seen:
        raise Refused("A history without a node. Expected at least its beginning.")


def jump_of_child(nodes: dict[str, StoredNode], parent: Node) -> str:
    """Return the ancestor that a child of `parent` jumps to, as storage/tree.py has it."""
    if parent.jump_id is None:
        return parent.id
    near = nodes[parent.jump_id]
    far = nodes.get(near.jump_id or "")
    if far is None:
        return parent.id
    return far.id if parent.depth - near.depth == near.depth - far.depth else parent.id


def _require_takes(content: Content) -> None:
    lines = {line.digest: line for line in content.blobs}
    shots, known = {row.id for row in content.shots}, {take.id for take in content.takes}
    numbers = [(take.shot_id, take.number) for take in content.takes]
    if len(numbers) != len(set(numbers)) or any(number < 1 for _, number in numbers):
        raise Refused("Takes of a shot that are not numbered 1, 2, ...")
    for take in content.takes:
        if take.shot_id not in shots:
            raise Refused(f"Take {take.id} is of shot {take.shot_id}, which is not in the bundle.")
        _require_take(take, lines)
    for mark in content.marks:
        if mark.take_id not in known or not 0 <= mark.rating <= MAX_RATING:
            raise Refused(f"{mark.rating} stars for take {mark.take_id}. Expected 0 to 5.")


def _require_take(take: Take, lines: dict[str, BlobLine]) -> None:
    if takes.row_digest(take) != take.row_digest:
        raise Refused(f"Take {take.id} was changed after it was stored: wrong digest.")
    sizes = (take.num_frames, take.width, take.height, *take.rate, take.strip_tiles)
    if not all(0 < size < MAX_FRAMES for size in sizes):
        raise Refused(f"Take {take.id} has frames, size, rate and tiles {sizes}.")
    _line(lines, take.media_digest, _MOVIES)
    _line(lines, take.strip_digest, _PICTURES)
    if take.latents_digest is not None:
        _line(lines, take.latents_digest, _TENSORS)


def _require_entries(content: Content) -> None:
    lines = {line.digest: line for line in content.blobs}
    latents = {take.latents_digest for take in content.takes}
    for entry in content.entries:
        chain = [] if entry.scope == "take" else [entry.previous_key]
        key = digest_of([entry.fingerprint, *chain, entry.latents_digest])
        if (key, memory.row_digest(entry)) != (entry.key, entry.row_digest):
            raise Refused(f"Entry {entry.key} was changed after it was stored: wrong digests.")
        if entry.latents_digest not in latents:
            raise Refused(f"Entry {entry.key} is of latents that no take of the bundle has.")
        _line(lines, entry.blob_digest, _TENSORS)


def _require_branches(content: Content) -> None:
    nodes = {node.id: node for node in content.nodes}
    if "main" not in {branch.name for branch in content.branches}:
        raise Refused("A history without its branch main.")
    last: dict[str, tuple[int, str]] = {}
    for number, move in enumerate(content.reflog, start=1):
        if move.seq != number or move.new_node not in nodes:
            raise Refused(f"Move {move.seq} of the history to {move.new_node[:80]}.")
        if move.old_node is not None and move.old_node not in nodes:
            raise Refused(f"Move {move.seq} of the history from {move.old_node[:80]}.")
        last[move.branch] = (last.get(move.branch, (0, ""))[0] + 1, move.new_node)
    if set(last) - {branch.name for branch in content.branches}:
        raise Refused("Moves of a branch that is not in the bundle.")
    for branch in content.branches:
        head, tip = nodes.get(branch.head_node), nodes.get(branch.tip_node)
        if head is None or tip is None or not _descends(nodes, tip, head):
            raise Refused(f"Branch {branch.name[:80]!r} stands where its tip does not lead.")
        count, at = last.get(branch.name, (0, branch.head_node))
        if (branch.rev, branch.head_node) != (count, at):
            raise Refused(f"Branch {branch.name[:80]!r} is not where its moves left it.")


def _descends(nodes: dict[str, StoredNode], node: StoredNode, ancestor: StoredNode) -> bool:
    while node.depth > ancestor.depth:
        jump = nodes[node.jump_id or ""]
        node = jump if jump.depth >= ancestor.depth else nodes[node.parent_id or ""]
    return node.id == ancestor.id


def _require_cut(cut: Cut, shots: Collection[str], made: Collection[str], digest: str) -> None:
    named = [shot.shot_id for shot in cut.shots]
    if len(named) > MAX_SHOTS or len(named) != len(set(named)) or set(named) - set(shots):
        raise Refused(f"State {digest} has shots twice, or that are not in the bundle.")
    if {shot.take_id for shot in cut.shots if shot.take_id is not None} - set(made):
        raise Refused(f"State {digest} shows takes that are not in the bundle.")
    sides = (cut.width, cut.height, *cut.rate, *(shot.num_frames for shot in cut.shots))
    is_trimmed = all(0 <= shot.in_ < shot.out < MAX_FRAMES for shot in cut.shots)
    if not is_trimmed or not all(0 < side < MAX_FRAMES for side in sides):
        raise Refused(f"State {digest} has lengths or trims that no cut can have.")


def _line(lines: dict[str, BlobLine], digest: str, kinds: Iterable[str]) -> BlobLine:
    line = lines.get(digest)
    if line is None or line.media_type not in kinds:
        found = "nothing" if line is None else line.media_type
        raise Refused(f"Blob {digest[:80]} is {found}. Expected {' or '.join(kinds)}.")
    return line


def _is_safetensors(head: bytes, size: int) -> bool:
    length = int.from_bytes(head[:8], "little")
    return len(head) > 8 and head[8:9] == b"{" and 0 < length <= min(size - 8, _SAFETENSORS_HEADER)
