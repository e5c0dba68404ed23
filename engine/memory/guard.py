"""Law L5, the fingerprint guards: an entry of another system or model is refused, never mixed."""

from __future__ import annotations

from engine.context import MemoryInfo, MemoryState
from engine.errors import MemoryStateError
from engine.memory.entries import to_bytes


def check_state(state: MemoryState, info: MemoryInfo) -> None:
    """Raise `MemoryStateError` unless every entry of `state` was made by this memory system."""
    for index, entry in enumerate(state):
        if entry.system != info.name or entry.fingerprint != info.fingerprint:
            raise MemoryStateError(
                f"Entry {index} is {entry.system} {entry.fingerprint[:12]}. Expected {info.name} "
                f"{info.fingerprint[:12]}: let the studio make it again from its latents."
            )
        if info.scope == "chain":
            previous = state[index - 1].key if index else ""
            if entry.previous_key != previous:
                raise MemoryStateError(
                    f"Entry {index} follows {entry.previous_key[:12] or 'nothing'}, not "
                    f"{previous[:12] or 'nothing'}. A chain is used as it was made."
                )


def entry_bytes(state: MemoryState) -> int:
    """Return the bytes that the blobs of `state` take."""
    return sum(len(to_bytes(entry)) for entry in state)
