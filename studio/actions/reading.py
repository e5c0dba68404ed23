"""What shots read under the loaded model, and how stale they are: pure functions given facts."""

from __future__ import annotations

from collections.abc import Mapping

from engine.protocol import MemorySystemInfo
from storage.records import Cut, Take
from studio.session import NO_MEMORY, NotReady, Session
from studio.timeline.reading import Past, SystemFacts
from studio.timeline.staleness import Defaults, Staleness


def system_facts(system: MemorySystemInfo) -> SystemFacts:
    """Return what reading needs to know of a memory system."""
    return SystemFacts(
        name=system.name,
        fingerprint=system.fingerprint,
        scope=system.scope,
        token_pixels=system.token_pixels,
        token_frames=system.token_frames,
        most_steps=system.most_steps,
    )


def past_of(cut: Cut, known: Mapping[str, Take], system: MemorySystemInfo) -> Past:
    """Return the takes of a cut as a memory system reads them."""
    return Past(cut, known, system_facts(system))


def staleness_of(
    session: Session, cut: Cut, known: Mapping[str, Take], before: Staleness | None = None
) -> Staleness:
    """Return the cut ready to be graded; nothing is stale while no model is known.

    `before` is the film graded at another cut: what it found out is used again where it holds.
    """
    systems = {NO_MEMORY: SystemFacts(name=NO_MEMORY, fingerprint="", scope="take")}
    try:
        info = session.info()
    except NotReady:
        return Staleness(cut, known, {}, Defaults(num_steps=0, guidance=0.0, strength=0.0))
    if not info.systems:
        return Staleness(cut, known, {}, Defaults(num_steps=0, guidance=0.0, strength=0.0))
    systems |= {system.name: system_facts(system) for system in info.systems}
    defaults = Defaults(num_steps=info.num_steps, guidance=info.guidance, strength=info.strength)
    if before is not None and before.holds_for(cut, known, systems, defaults):
        return before
    return Staleness(cut, known, systems, defaults, before)
