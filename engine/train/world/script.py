"""The script of one shot: all that is drawn, all that is said, and what it relies on."""

from dataclasses import dataclass

from engine.train.world.characters import Character
from engine.train.world.places import Place


@dataclass(frozen=True, kw_only=True)
class PropSet:
    """Identical objects in one shot, for measuring counts."""

    kind: str
    """One of PROPS."""
    colour: str
    """One of COLOURS."""
    count: int
    """How many, 1 to 5."""
    is_flying: bool
    """Whether they move diagonally out of the picture."""


@dataclass(frozen=True, kw_only=True)
class ShotScript:
    """One shot of a story: its exact caption and every attribute behind it."""

    caption: str
    """What the text encoder reads."""
    num_frames: int
    """Pixel frames, 1 + 4k."""
    characters: tuple[Character, ...]
    """Who acts, from left to right."""
    scene: Place
    """Where, with all its variations."""
    action: str
    """What everybody in the shot does, one of ACTIONS."""
    framing: str
    """One of FRAMINGS."""
    camera: str
    """One of CAMERAS."""
    described: tuple[Character, ...]
    """Whose look the caption tells: those the story names for the first time."""
    is_new_place: bool
    """Whether the story is here for the first time, so that the caption tells landmark and sign."""
    same_person: tuple[int, ...]
    """Earlier shots, by index, that show an acting character."""
    same_place: tuple[int, ...]
    """Earlier shots, by index, at the same place."""
    props: PropSet | None
    """Identical objects, None for none."""
    weather: str
    """One of WEATHERS."""
    stage_x: float
    """World x around which the action happens. No caption tells it."""

    @property
    def character(self) -> Character:
        """The acting character, the left one of two."""
        return self.characters[0]

    @property
    def place(self) -> str:
        """The kind of place."""
        return self.scene.kind

    @property
    def first_mention(self) -> bool:
        """Whether the caption describes somebody's look."""
        return bool(self.described)

    @property
    def relevant_past(self) -> tuple[int, ...]:
        """Earlier shots, by index, that show a person or the place of this shot."""
        return tuple(sorted({*self.same_person, *self.same_place}))
