"""What editors prefer, the same in every project and on every page: keys and look of the page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from storage import settings
from storage.errors import Refused
from studio.session import Session

CHOICES: Mapping[str, tuple[str, ...]] = {
    "keys": ("mnemoreel", "resolve", "premiere"),
    "theme": ("system", "dark", "light"),
    "welcomed": ("no", "yes"),
}
"""Every preference with the values it may have, the default first."""


def read(session: Session) -> dict[str, str]:
    """Return every preference with its value."""
    with session.library.read() as tx:
        stored = {name: settings.get(tx, name) for name in CHOICES}
    return {
        name: stored[name] if stored[name] in values else values[0]
        for name, values in CHOICES.items()
    }


def change(session: Session, wanted: Mapping[str, Any]) -> dict[str, str]:
    """Store preferences, tell every open page, and return them all.

    Raises:
        Refused: an unknown name or value; then nothing is stored.
    """
    for name, value in wanted.items():
        if name not in CHOICES:
            raise Refused(f"No setting {name[:40]!r}. Expected one of {sorted(CHOICES)}.")
        if value not in CHOICES[name]:
            raise Refused(
                f"The setting {name} cannot be {str(value)[:40]!r}. "
                f"Expected one of {list(CHOICES[name])}."
            )
    with session.library.write() as tx:
        for name, value in wanted.items():
            settings.put(tx, name, value)
    now = read(session)
    session.publish(None, {"kind": "settings", "settings": now})
    return now
