"""What can be read off the page as it is shown: contrast of text, names and order of controls."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from playwright.sync_api import Page

LOWEST_CONTRAST = 4.5
"""Of text against what lies under it (WCAG 2.2, 1.4.3), for text of any size."""
CONTROLS = frozenset(
    {
        *("button", "link", "textbox", "searchbox", "combobox", "slider", "checkbox", "radio"),
        *("tab", "option", "menuitem", "menuitemradio", "spinbutton", "listbox", "switch"),
    }
)

_SOURCE = Path(__file__).with_suffix(".js").read_text("utf-8")


def low_contrasts(page: Page) -> list[str]:
    """Return the texts in sight whose contrast is too low, with their contrast."""
    told = _ask(page, "contrast", LOWEST_CONTRAST)
    assert told["seen"] > 10, "the page shows next to no text"
    return list(told["faults"])


def nameless(page: Page) -> list[str]:
    """Return the controls of the accessibility tree that a screen reader would not name."""
    session = page.context.new_cdp_session(page)
    nodes = session.send("Accessibility.getFullAXTree")["nodes"]
    session.detach()
    controls = [n for n in nodes if not n["ignored"] and _role(n) in CONTROLS]
    assert len(controls) > 1, "the tree has next to no controls"  # a dialog hides the rest
    return [f"{_role(n)} {_name(n)!r}" for n in controls if not any(map(str.isalpha, _name(n)))]


def live_regions(page: Page) -> int:
    """Return how many places a screen reader listens to."""
    return int(_ask(page, "live"))


def positive_tabindexes(page: Page) -> list[str]:
    """Return the elements that take themselves out of the page's order."""
    return list(_ask(page, "positive"))


def focused(page: Page) -> Any:
    """Return name, kind and whether a ring is seen of what has the focus; None = nothing has."""
    return _ask(page, "focus")


def _ask(page: Page, name: str, argument: object = None) -> Any:
    return page.evaluate(f"(argument) => {_SOURCE.rstrip()}.{name}(argument)", argument)


def _role(node: Any) -> str:
    return str(node.get("role", {}).get("value", ""))


def _name(node: Any) -> str:
    return str(node.get("name", {}).get("value", ""))
