"""What a verb says: results on stdout, as text or as one JSON object; progress on stderr."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from typing import Any


class CliError(Exception):
    """A verb failed; the message is for the person at the terminal."""


class UsageError(Exception):
    """The command was not meant like that; the message says what is."""


@dataclass(frozen=True, kw_only=True)
class Output:
    """Where a verb says things."""

    is_json: bool

    def result(self, value: dict[str, Any], text: str) -> None:
        """Say the result, in the form that was asked for."""
        shown = json.dumps(value, ensure_ascii=False) if self.is_json else text
        print(shown, flush=True)

    def note(self, text: str) -> None:
        """Say something on the way to the result."""
        print(text, file=sys.stderr, flush=True)

    def failed(self, message: str) -> None:
        """Say why the verb failed."""
        print(f"error: {message}", file=sys.stderr, flush=True)
        if self.is_json:
            print(json.dumps({"error": {"message": message}}, ensure_ascii=False), flush=True)
