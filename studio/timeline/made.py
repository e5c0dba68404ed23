"""What the takes of a film were made from: the entries each read, and how much each weighed."""

from __future__ import annotations

from collections.abc import Mapping

from storage.kept import Kept
from storage.records import Take
from studio.timeline.cut import entry_keys
from studio.timeline.order import Keys
from studio.timeline.reading import SystemFacts

_MOST = 4096
SHORT = 16
"""Characters of a key that tell it from all others of a film."""


class Made:
    """The makings of some takes, none of which ever change: they serve every cut of the film."""

    def __init__(self, takes: Mapping[str, Take], systems: Mapping[str, SystemFacts]) -> None:
        """Hold the takes; what is asked of them is worked out once."""
        self._takes, self._systems = takes, systems
        self._by_key: dict[str, dict[str, Take]] = {}
        self._keys: dict[str, Keys] = {}
        self._shots: Kept[tuple[str, Keys], frozenset[str]] = Kept(_MOST)
        self._weights: Kept[tuple[str, str, Keys], dict[str, float]] = Kept(_MOST)

    def is_of(self, takes: Mapping[str, Take], systems: Mapping[str, SystemFacts]) -> bool:
        """Return whether this says everything about those takes under those systems."""
        return self._systems == systems and self._takes.keys() == takes.keys()

    def keys(self, take: Take) -> Keys:
        """Return the entries that a take read, in order."""
        if take.id not in self._keys:
            self._keys[take.id] = tuple(take.spec.get("memory_keys", ()))
        return self._keys[take.id]

    def source(self, key: str, system: str) -> Take | None:
        """Return the take whose entry a key names. None = no take of this film and model."""
        return self._sources(system).get(key[:SHORT])

    def shots(self, keys: Keys, system: str) -> frozenset[str]:
        """Return the shots whose takes the keys name."""
        sources = (self.source(key, system) for key in keys)
        return self._shots.get(
            (system, keys), lambda: frozenset(one.shot_id for one in sources if one is not None)
        )

    def weights(self, take: Take, read: Keys, system: str) -> Mapping[str, float]:
        """Return the weight that each of the entries `read` had in a take; together they are 1."""
        return self._weights.get((take.id, system, read), lambda: self._weigh(take, read, system))

    def _weigh(self, take: Take, read: Keys, system: str) -> dict[str, float]:
        by_take = {str(s["take_id"]): float(s["weight"]) for s in take.sources}
        known = self._sources(system)
        found = {}
        for key in read:
            source = known.get(key[:SHORT])
            found[key] = by_take.get(source.id, 0.0) if source else 0.0
        # A take of another model, or of a time without weights: every entry counts the same.
        total = sum(found.values())
        if total <= 0:
            return dict.fromkeys(read, 1 / max(1, len(read)))
        return {key: weight / total for key, weight in found.items()}

    def _sources(self, system: str) -> dict[str, Take]:
        if system not in self._by_key:
            facts = self._systems[system]
            made = [t for t in self._takes.values() if t.latents_digest is not None]
            found = {entry_keys([t], facts.fingerprint, "take")[0][:SHORT]: t for t in made}
            self._by_key[system] = found
        return self._by_key[system]
