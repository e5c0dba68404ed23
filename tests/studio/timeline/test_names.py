"""Names in prompts, as far as capitals tell."""

from __future__ import annotations

import pytest

from studio.timeline.names import names_in


@pytest.mark.parametrize(
    ("prompt", "names"),
    [
        ("Mia walks left in the park, wide view.", {"Mia"}),
        ("In the room, Mia and Bob wave. A sign says SUN.", {"Mia", "Bob"}),
        ("Close view: Zoë's hat", {"Zoë"}),
        ("she opens the door", set()),
        ("THE END", set()),
        ("Night. The camera pans. It rains.", set()),
        ("O'Brien and D\u2019Arcy", set()),
        ("<img onerror=alert(1)>", set()),
    ],
)
def test_names_are_capitalised_words_that_do_not_open_sentences(
    prompt: str, names: set[str]
) -> None:
    assert names_in(prompt) == names
