"""Who a prompt is about: the names in it, as far as capitals tell. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

# Words that begin a sentence of a storyboard more often than they name somebody.
_OPENING_WORDS = """
a after all an and another as at back before both but by camera close cut day eight exterior first
five four from he her here his how i in inside interior into it its later medium morning my near
next night nine no now of off on one our out outside over pan scene seven she shot six slow static
still ten that the their then there these they this those three through to two under up view we
when where while wide with you zoom
"""
_OPENERS = frozenset(_OPENING_WORDS.split())
_WORD = re.compile(r"[^\W\d_]+(?:['\u2019][^\W\d_]+)?")


def names_in(prompt: str) -> frozenset[str]:
    """Return the words that look like names: a capital and then small letters, openers left out.

    A word in capitals is a sign or a heading. "Mia's" counts as "Mia".
    """
    found = (re.split("['\u2019]", word)[0] for word in _WORD.findall(prompt))
    return frozenset(
        word for word in found if word[1:].islower() and word[0].isupper() and not _opens(word)
    )


def tell_looks(
    asked: frozenset[str], shown: Sequence[frozenset[str]], *, later: float
) -> tuple[float, ...]:
    """Return how far each earlier shot, oldest first, says how the people in `asked` look.

    Wholly (1) the first that names somebody of them: a later take may have got them wrong, and what
    is wrong must not become the model. Those after it by `later`, which shows what the first hides
    (docs/decisions/0015), and shots of other people not at all (0). Shots that name nobody do, as
    do all where nobody is asked for.
    """
    told = []
    unseen = set(asked)
    for names in shown:
        is_first = not asked or not names or bool(names & unseen)
        told.append(1.0 if is_first else later if names & asked else 0.0)
        unseen -= names
    return tuple(told)


def _opens(word: str) -> bool:
    return word.lower() in _OPENERS
