"""Records that never change, kept in memory once they were read: the newest ones, up to a bound."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Generic, TypeVar

_Key = TypeVar("_Key", bound=Hashable)
_Value = TypeVar("_Value")


class Kept(Generic[_Key, _Value]):
    """The values that were asked for last, by a key that says all of them. Safe on any thread."""

    def __init__(self, most: int) -> None:
        """Hold at most `most` values; those not asked for the longest go first."""
        if most < 1:
            raise ValueError(f"Room for {most} values. Expected 1 or more.")
        self._most = most
        self._values: OrderedDict[_Key, _Value] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._values)

    def find(self, key: _Key) -> _Value | None:
        """Return the value of `key`, or None where it is not kept."""
        return self._find([key]).get(key)

    def put(self, key: _Key, value: _Value) -> None:
        """Keep a value."""
        self._put({key: value})

    def get(self, key: _Key, make: Callable[[], _Value]) -> _Value:
        """Return the value of `key`, made if it is not there."""
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
                return self._values[key]
        made = make()
        self.put(key, made)
        return made

    def get_all(
        self, keys: Sequence[_Key], make: Callable[[list[_Key]], Mapping[_Key, _Value]]
    ) -> list[_Value]:
        """Return the values of `keys`, in order; `make` is asked once for those that are missing.

        Two threads that miss the same key both make it: the lock is not held meanwhile.
        """
        found = self._find(keys)
        missing = [key for key in dict.fromkeys(keys) if key not in found]
        if missing:
            made = make(missing)
            self._put(made)
            found |= made
        return [found[key] for key in keys]

    def _find(self, keys: Iterable[_Key]) -> dict[_Key, _Value]:
        found = {}
        with self._lock:
            for key in keys:
                if key in self._values:
                    found[key] = self._values[key]
                    self._values.move_to_end(key)
        return found

    def _put(self, made: Mapping[_Key, _Value]) -> None:
        with self._lock:
            for key, value in made.items():
                self._values[key] = value
                self._values.move_to_end(key)
            while len(self._values) > self._most:
                self._values.popitem(last=False)
