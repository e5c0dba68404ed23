"""Captions: plain English in several phrasings, complete only where memory cannot help."""

import dataclasses
import random

from engine.train.world.characters import Character, with_article
from engine.train.world.script import PropSet, ShotScript
from engine.train.world.vocabulary import NUMBERS, PLACE_PHRASES


def with_caption(shot: ShotScript, rng: random.Random) -> ShotScript:
    """Return `shot` with its caption, phrased by `rng`."""
    deed = f"{_names(shot)} {_verb(shot)}"
    where = PLACE_PHRASES[shot.place]
    framing = rng.choice((f"{shot.framing} shot", f"{shot.framing} view", shot.framing))
    camera = _camera(shot.camera, rng)
    order = rng.randrange(4)
    if order == 0:
        opening = [f"{deed} {where}", framing, camera]
    elif order == 1:
        opening = [", ".join(filter(None, (f"{deed} {where}", framing, camera)))]
    elif order == 2:
        opening = [f"{framing}: {deed} {where}", camera]
    else:
        opening = [f"{where}, {deed}", ", ".join(filter(None, (framing, camera)))]
    details = [_look(character, rng) for character in shot.described]
    if shot.is_new_place:
        details += _surroundings(shot, rng)
    details += _extras(shot)
    sentences = (
        [*opening, *details] if rng.random() < 0.5 else [*opening[:1], *details, *opening[1:]]
    )
    caption = " ".join(f"{_capital(sentence)}." for sentence in sentences if sentence)
    return dataclasses.replace(shot, caption=caption)


def in_full(shot: ShotScript, rng: random.Random) -> ShotScript:
    """Return `shot` with a caption that tells looks and place, whatever the story told before.

    Training without memory reads these: every shot then teaches what a description looks like.
    """
    told = dataclasses.replace(shot, described=shot.characters, is_new_place=True)
    return dataclasses.replace(shot, caption=with_caption(told, rng).caption)


def _capital(sentence: str) -> str:
    return sentence[0].upper() + sentence[1:]


def _names(shot: ShotScript) -> str:
    return " and ".join(_capital(character.name) for character in shot.characters)


def _verb(shot: ShotScript) -> str:
    if len(shot.characters) == 1:
        return shot.action
    verb, *rest = shot.action.split()
    return " ".join([verb.removesuffix("s"), *rest])


def _camera(camera: str, rng: random.Random) -> str:
    if camera == "static":
        return rng.choice(("", "the camera is still", "static camera"))
    if camera == "zoom in":
        return rng.choice(("zoom in", "the camera zooms in"))
    side = camera.removeprefix("pan ")
    return rng.choice((camera, f"the camera pans {side}", f"the camera moves {side}"))


def _look(character: Character, rng: random.Random) -> str:
    name = _capital(character.name)
    skin = f"{character.skin} skin"
    hair = f"{'long' if character.long_hair else 'short'} {character.hair} hair"
    words = [character.shirt, character.pattern]
    rng.shuffle(words)
    shirt = f"{with_article(words[0])} {words[1]} shirt"
    trousers = f"{character.trousers} trousers"
    hat = character.hat_words
    style = rng.randrange(3)
    if style == 0:
        return f"{name} has {skin}, {hair}, {shirt}, {trousers} and {hat}"
    if style == 1:
        return f"{name} wears {shirt}, {trousers} and {hat}, and has {skin} and {hair}"
    return f"{name}: {shirt}, {trousers}, {hat}, {skin}, {hair}"


def _surroundings(shot: ShotScript, rng: random.Random) -> list[str]:
    scene = shot.scene
    thing = f"{with_article(scene.landmark_colour)} {scene.landmark}"
    side = scene.landmark_side
    sentences = [
        rng.choice(
            (
                f"there is {thing} on the {side}",
                f"{thing} is on the {side}",
                f"on the {side} is {thing}",
            )
        )
    ]
    if scene.sign:
        word = scene.sign.upper()
        sentences.append(rng.choice((f"a sign says {word}", f"the sign says {word}")))
    return sentences


def _extras(shot: ShotScript) -> list[str]:
    sentences = []
    if shot.props is not None:
        sentences.append(_counted(shot.props))
    if shot.weather != "clear":
        sentences.append(f"it {shot.weather}s")
    return sentences


def _counted(props: PropSet) -> str:
    if props.count == 1:
        thing, verb = f"{props.colour} {props.kind}", "flies" if props.is_flying else "is"
    else:
        thing, verb = f"{props.colour} {props.kind}s", "fly" if props.is_flying else "are"
    number = NUMBERS[props.count]
    return f"{number} {thing} {verb} away" if props.is_flying else f"there {verb} {number} {thing}"
