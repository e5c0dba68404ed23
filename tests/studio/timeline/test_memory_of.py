"""The memory of a cut is the ordered entries of its takes, whatever was done to get there."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from storage.canonical import digest_of
from storage.records import Cut, Shot, Take
from studio.timeline.reading import Past, SystemFacts


def take(name: str) -> Take:
    return Take(
        id=name, shot_id="x", spec={}, spec_digest="", media_digest="", latents_digest=f"L{name}",
        strip_digest="", strip_tiles=1, num_frames=9, rate=(8, 1), width=96, height=64,
    )  # fmt: skip


TAKES = {name: take(name) for name in "abcdef"}


def memory_of(cut: Cut, reader: str, takes: dict[str, Take], scope: Any) -> tuple[str, ...]:
    facts = SystemFacts(name="s", fingerprint="fp", scope=scope)
    shot = next(s for s in cut.shots if s.shot_id == reader)
    return Past(cut, takes, facts).before(shot).keys


def cut_of(names: list[str | None]) -> Cut:
    shots = tuple(
        Shot(shot_id=f"s{i}", num_frames=9, in_=0, out=9, take_id=n) for i, n in enumerate(names)
    )
    return Cut(
        rate=(8, 1),
        width=96,
        height=64,
        shots=(*shots, Shot(shot_id="reader", num_frames=9, in_=0, out=9)),
    )


NAMES = st.lists(st.sampled_from([*TAKES, None]), max_size=6, unique_by=lambda n: n or object())


@given(NAMES)
def test_scope_take_reads_one_key_for_each_take_in_order(names: list[str | None]) -> None:
    keys = memory_of(cut_of(names), "reader", TAKES, "take")
    assert keys == tuple(digest_of(["fp", f"L{n}"]) for n in names if n)


@given(NAMES, NAMES)
def test_scope_chain_shares_keys_exactly_as_far_as_the_takes_agree(
    one: list[str | None], two: list[str | None]
) -> None:
    one_keys, two_keys = (memory_of(cut_of(n), "reader", TAKES, "chain") for n in (one, two))
    one_takes, two_takes = ([n for n in names if n] for names in (one, two))
    shared = 0
    while shared < min(len(one_takes), len(two_takes)) and one_takes[shared] == two_takes[shared]:
        shared += 1
    assert one_keys[:shared] == two_keys[:shared]
    assert not set(one_keys[shared:]) & set(two_keys[shared:])


@given(NAMES, st.integers(0, 5))
def test_a_muted_or_forgotten_shot_is_as_if_absent(names: list[str | None], index: int) -> None:
    if index >= len(names):
        return
    cut = cut_of(names)
    without = memory_of(cut_of([*names[:index], *names[index + 1 :]]), "reader", TAKES, "chain")
    muted = replace(cut.shots[index], muted=True)
    cut_muted = replace(cut, shots=(*cut.shots[:index], muted, *cut.shots[index + 1 :]))
    assert memory_of(cut_muted, "reader", TAKES, "chain") == without
    reader = cut.shots[-1]
    reader = replace(reader, memory=replace(reader.memory, forgotten=(f"s{index}",)))
    assert (
        memory_of(replace(cut, shots=(*cut.shots[:-1], reader)), "reader", TAKES, "chain")
        == without
    )


def test_a_split_shot_is_read_once_and_titles_are_never_read() -> None:
    cut = cut_of(["a", "a", "b"])
    takes = TAKES | {"b": replace(TAKES["b"], latents_digest=None, kind="title")}
    assert memory_of(cut, "reader", takes, "take") == (digest_of(["fp", "La"]),)
