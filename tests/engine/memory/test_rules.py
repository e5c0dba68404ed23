"""Forgetting and pinning are rules about reading: tokens are left out, entries never change."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from engine.context import FrameRef, Rule
from engine.recipes import Model
from tests.engine.memory.test_laws import REQUEST, remember_all


def test_a_forgotten_range_takes_exactly_its_tokens_and_the_rest_keep_their_place(
    model: Model,
) -> None:
    memory = model.memories["frame_preservation"]
    state = remember_all(memory, [1, 2])
    whole = memory.context(state, REQUEST)
    # Frames 3 to 5 lie in the second of three steps of the first take.
    part = memory.context(state, replace(REQUEST, rules={0: Rule(hidden=((3, 6),))}))
    step = state[0].grid[1] * state[0].grid[2]
    kept = [i for i in range(whole.num_tokens) if not step <= i < 2 * step]
    assert whole.tokens_BLD is not None
    assert whole.positions_L3 is not None
    assert part.tokens_BLD is not None
    assert part.positions_L3 is not None
    assert torch.equal(part.tokens_BLD, whole.tokens_BLD[:, kept])
    assert torch.equal(part.positions_L3, whole.positions_L3[kept])
    assert [s.num_tokens for s in part.sources] == [2 * step, 3 * step]
    assert sum(s.weight for s in part.sources) == pytest.approx(1)


def test_nothing_is_drawn_from_a_memory_that_forgot_everything(model: Model) -> None:
    memory = model.memories["frame_preservation"]
    state = remember_all(memory, [1])
    everything = {0: Rule(hidden=((0, 17),))}
    assert memory.context(state, replace(REQUEST, rules=everything)).num_tokens == 0
    ref = FrameRef(entry_index=0, frame=4, rules=everything)
    recall = memory.recall(state, ref, seed=0, num_steps=1)
    assert (recall.source, recall.latents_BCTHW) == ("none", None)
    assert "forgotten" in recall.note


def test_recall_of_a_forgotten_frame_differs_and_says_why(model: Model) -> None:
    memory = model.memories["frame_preservation"]
    state = remember_all(memory, [1, 2])
    before = memory.recall(state, FrameRef(entry_index=0, frame=4), seed=0, num_steps=1)
    rules = {0: Rule(hidden=((4, 5),))}
    after = memory.recall(state, FrameRef(entry_index=0, frame=4, rules=rules), seed=0, num_steps=1)
    assert before.latents_BCTHW is not None
    assert after.latents_BCTHW is not None
    assert not torch.equal(before.latents_BCTHW, after.latents_BCTHW)
    assert before.note == ""
    assert "forgotten" in after.note


def test_a_pinned_shot_stays_in_a_window_that_would_have_dropped_it(model: Model) -> None:
    memory = model.memories["sliding_window"]
    state = remember_all(memory, [1, 2, 3])
    rows = state[0].grid[1] * state[0].grid[2]
    assert [s.entry_index for s in memory.context(state, REQUEST).sources] == [2]
    pinned = replace(REQUEST, rules={0: Rule(is_pinned=True)})
    context = memory.context(state, pinned)
    assert [s.entry_index for s in context.sources] == [0, 2]
    assert context.num_tokens == 6 * rows
    recall = memory.recall(
        state, FrameRef(entry_index=0, frame=16, rules=pinned.rules), seed=0, num_steps=1
    )
    assert recall.source == "memory"


def test_a_window_leaves_out_what_comes_before_a_forgotten_frame(model: Model) -> None:
    memory = model.memories["sliding_window"]
    state = remember_all(memory, [1])
    # Latent 3 holds frames 9 to 12; of the last three latents only the last one is left.
    rules = {0: Rule(hidden=((12, 13),))}
    context = memory.context(state, replace(REQUEST, rules=rules))
    assert context.num_tokens == state[0].grid[1] * state[0].grid[2]
    hidden = memory.recall(
        state, FrameRef(entry_index=0, frame=12, rules=rules), seed=0, num_steps=1
    )
    assert hidden.source == "none"
    assert "forgotten" in hidden.note
