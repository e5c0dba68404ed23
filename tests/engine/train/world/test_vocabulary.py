"""The words by theme: all of them, and what ships says the same."""

from __future__ import annotations

from pathlib import Path

from engine.card import load_card
from engine.train.world.vocabulary import THEMES, WORDS, unknown_words, words_of

EMBEDDED = Path(__file__).parents[4] / "assets" / "checkpoints" / "embedded"


def test_every_word_stands_in_a_theme_and_no_theme_has_another() -> None:
    phrases = [phrase for theme in THEMES.values() for phrase in theme]
    assert {word for phrase in phrases for word in words_of(phrase)} == set(WORDS)
    assert unknown_words(" ".join(phrases)) == ()
    assert all(len(set(theme)) == len(theme) > 0 for theme in THEMES.values())


def test_the_shipped_card_has_the_themes_of_the_world() -> None:
    card = load_card(EMBEDDED)
    assert {group.title: group.phrases for group in card.vocabulary} == dict(THEMES)
    assert set(card.words) == set(WORDS)
