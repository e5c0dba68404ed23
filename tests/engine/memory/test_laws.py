"""The laws L1 to L10 of memory, run against every registered system."""

from __future__ import annotations

import json
import random
import shutil
import struct
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from engine.context import (
    Context,
    ContextRequest,
    FrameRef,
    Memory,
    MemoryEntry,
    MemoryState,
    ShotLatents,
    digest_of,
)
from engine.errors import MemoryStateError
from engine.memory.entries import from_bytes, to_bytes
from engine.memory.memory_encoder import MemoryEncoder, MemoryEncoderConfig
from engine.memory.registry import names, rate_name
from engine.recipes import Model, load_model, wan
from engine.render import shot_latents
from engine.retrieve import recall_frame
from engine.train.assemble import write_encoder
from engine.video import vae as video_vae
from tests.engine.conftest import CPU

REQUEST = ContextRequest(num_latents=3, rows=2, columns=4)


EXTRA = rate_name((2, 2, 4))


@pytest.fixture(scope="module")
def model(tiny_checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Model:
    """The tiny checkpoint with an encoder of a second rate."""
    folder = tmp_path_factory.mktemp("rates") / "checkpoint"
    shutil.copytree(tiny_checkpoint, folder)
    torch.manual_seed(3)
    config = MemoryEncoderConfig(rate_hwt=(2, 2, 4), width=128, channels=(8, 16, 16, 16))
    encoder = MemoryEncoder(config)
    torch.nn.init.normal_(encoder.out.weight, std=0.2)
    write_encoder(encoder, folder / "memory" / EXTRA)
    torch.set_num_threads(1)
    return load_model(wan(folder), CPU)


@pytest.fixture(params=[*names(), EXTRA])
def memory(request: pytest.FixtureRequest, model: Model) -> Memory:
    return model.memories[request.param]


def test_every_rate_of_a_checkpoint_is_a_system_of_its_own(model: Model) -> None:
    infos = [memory.info for memory in model.memories.values()]
    assert [info.name for info in infos] == [*names(), EXTRA]
    assert len({info.fingerprint for info in infos}) == len(infos)
    assert infos[-1].title == "Frame preservation, 2x2x4"
    assert model.frame_multiple == 8  # that of the default rate


def test_a_length_that_a_rate_does_not_divide_is_remembered_with_its_last_frame_repeated(
    model: Model,
) -> None:
    memory = model.memories[EXTRA]
    frames = torch.randint(0, 256, (9, 32, 64, 3), dtype=torch.uint8)
    latents = video_vae.encode(model.parts.vae, frames)
    seen = shot_latents(model, memory, latents, frames, digest="nine")
    entry = memory.remember((), seen)
    assert (entry.num_frames, entry.num_latents, entry.grid[0]) == (9, 5, 2)
    usual = shot_latents(model, model.memories[names()[0]], latents, frames, digest="nine")
    assert torch.equal(usual.latents_BCTHW, latents)


def shot(seed: int, num_latents: int = 5, rate: int = 2) -> ShotLatents:
    generator = torch.Generator().manual_seed(seed)
    return ShotLatents(
        latents_BCTHW=torch.randn(1, 16, num_latents, 4, 8, generator=generator),
        lr_latents_BCTHW=torch.randn(
            1, 16, 1 + (num_latents - 1) // rate, 2, 4, generator=generator
        ),
        digest=digest_of("shot", seed, num_latents),
        num_frames=1 + 4 * (num_latents - 1),
    )


def remember_all(memory: Memory, seeds: list[int]) -> MemoryState:
    state: MemoryState = ()
    for seed in seeds:
        state = (*state, memory.remember(state, shot_for(memory, seed)))
    return state


def shot_for(memory: Memory, seed: int) -> ShotLatents:
    return shot(seed, rate=4 if memory.info.name == EXTRA else 2)


def same_context(a: Context, b: Context) -> bool:
    tensors = (
        (a.tokens_BLD, b.tokens_BLD),
        (a.positions_L3, b.positions_L3),
    )
    equal = all((x is None and y is None) or torch.equal(x, y) for x, y in tensors)  # type: ignore[arg-type]
    return equal and a.sources == b.sources and a.token_timestep == b.token_timestep


def test_l1_entries_are_complete(memory: Memory, model: Model, tmp_path: Path) -> None:
    state = remember_all(memory, [1, 2])
    paths = []
    for index, entry in enumerate(state):
        paths.append(tmp_path / f"{index}.entry")
        paths[-1].write_bytes(to_bytes(entry))
    code = (
        "import hashlib, sys; from pathlib import Path; import torch; torch.set_num_threads(1)\n"
        "from engine.context import ContextRequest; from engine.device.probe import Device\n"
        "from engine.memory.entries import from_bytes; from engine.recipes import load_model, wan\n"
        "cpu = Device(name='cpu', dtype=torch.float32, threads=1, milliseconds={})\n"
        "memory = load_model(wan(Path(sys.argv[1])), cpu).memories[sys.argv[2]]\n"
        "state = tuple(from_bytes(Path(p).read_bytes(), memory) for p in sys.argv[3:])\n"
        "context = memory.context(state, ContextRequest(num_latents=3, rows=2, columns=4))\n"
        "tokens = context.tokens_BLD.float().contiguous().numpy().tobytes()\n"
        "print(hashlib.sha256(tokens).hexdigest())\n"
    )
    arguments = [str(model.parts.folder), memory.info.name, *map(str, paths)]
    found = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True
    ).stdout.split()[-1]
    tokens = memory.context(state, REQUEST).tokens_BLD
    assert tokens is not None
    import hashlib

    assert found == hashlib.sha256(tokens.float().contiguous().numpy().tobytes()).hexdigest()


def test_l2_rewinding_is_choosing_a_list(memory: Memory) -> None:
    rng = random.Random(0)
    state = remember_all(memory, [1, 2, 3, 4])
    for length in range(5):
        assert same_context(
            memory.context(state[:length], REQUEST),
            memory.context(remember_all(memory, [1, 2, 3, 4][:length]), REQUEST),
        )
    if memory.info.scope == "take":
        for _ in range(5):
            chosen = rng.sample(range(4), rng.randint(1, 4))
            own = memory.context(tuple(state[i] for i in chosen), REQUEST)
            fresh = remember_all(memory, [[1, 2, 3, 4][i] for i in chosen])
            assert same_context(own, memory.context(fresh, REQUEST))


def test_l3_reading_is_pure(memory: Memory, model: Model) -> None:
    state = remember_all(memory, [1, 2])
    before = [to_bytes(entry) for entry in state]
    weights = {k: v.clone() for k, v in model.parts.transformer.state_dict().items()}
    first, second = memory.context(state, REQUEST), memory.context(state, REQUEST)
    memory.recall(state, FrameRef(entry_index=1, frame=16), seed=0, num_steps=1)
    memory.cost(state)
    assert same_context(first, second)
    assert before == [to_bytes(entry) for entry in state]
    for name, value in model.parts.transformer.state_dict().items():
        assert torch.equal(value, weights[name])


def test_l4_empty_memory_is_the_base(memory: Memory, model: Model) -> None:
    latents = torch.randn(1, 16, 3, 4, 8, generator=torch.Generator().manual_seed(0))
    context = memory.context((), REQUEST)
    assert context.num_tokens == 0
    stock = model.parts.transformer(
        hidden_states=latents,
        timestep=torch.tensor([500.0]),
        encoder_hidden_states=model.empty_text,
    ).sample
    assert torch.equal(model.velocity(latents, 0.5, model.empty_text, context), stock.float())


def test_l5_the_fingerprint_guards(memory: Memory) -> None:
    state = remember_all(memory, [1])
    foreign = replace(state[0], fingerprint="0" * 64)
    with pytest.raises(MemoryStateError, match="0000"):
        memory.context((foreign,), REQUEST)
    with pytest.raises(MemoryStateError, match="model has changed"):
        from_bytes(to_bytes(foreign), memory)


def test_l6_the_future_does_not_change_the_past(memory: Memory) -> None:
    state = remember_all(memory, [1, 2])
    longer = remember_all(memory, [1, 2, 9])
    assert [to_bytes(e) for e in longer[:2]] == [to_bytes(e) for e in state]
    if memory.info.scope == "take":
        alone = memory.remember((), shot_for(memory, 2))
        assert to_bytes(alone) == to_bytes(state[1])


def test_l7_cost_is_the_truth(memory: Memory) -> None:
    tokens = []
    for count in range(1, 5):
        state = remember_all(memory, list(range(count)))
        cost = memory.cost(state)
        assert cost.bytes_stored == sum(len(to_bytes(entry)) for entry in state)
        assert cost.tokens == memory.context(state, REQUEST).num_tokens
        tokens.append(cost.tokens)
    if memory.info.bounded:
        assert len(set(tokens)) == 1
    else:
        assert tokens == [tokens[0] * n for n in range(1, 5)]


def test_l8_recall_does_not_pretend(memory: Memory, model: Model) -> None:
    state = remember_all(memory, [1, 2])
    newest = recall_frame(model, memory.info.name, state, FrameRef(entry_index=1, frame=16))
    oldest = recall_frame(model, memory.info.name, state, FrameRef(entry_index=0, frame=0))
    assert newest.source == "memory"
    assert newest.frame_1HW3 is not None
    assert newest.frame_1HW3.shape == (1, 32, 64, 3)
    if memory.info.bounded:
        assert oldest.source == "none"
        assert oldest.frame_1HW3 is None
        assert oldest.note
    else:
        assert oldest.source == "memory"
        other = remember_all(memory, [3, 2])
        changed = recall_frame(model, memory.info.name, other, FrameRef(entry_index=0, frame=0))
        assert not torch.equal(changed.frame_1HW3, oldest.frame_1HW3)  # type: ignore[arg-type]


def test_l9_regenerating_touches_what_it_must(memory: Memory) -> None:
    before = [entry.key for entry in remember_all(memory, [1, 2, 3, 4])]
    after = [entry.key for entry in remember_all(memory, [1, 7, 3, 4])]
    changed = [i for i in range(4) if before[i] != after[i]]
    assert changed == ([1] if memory.info.scope == "take" else [1, 2, 3])
    assert before == [entry.key for entry in remember_all(memory, [1, 2, 3, 4])]


def header(entry: MemoryEntry, **changes: object) -> bytes:
    data = to_bytes(entry)
    length = struct.unpack("<Q", data[:8])[0]
    value = json.loads(data[8 : 8 + length])
    value.update(changes)
    text = json.dumps(value).encode()
    return struct.pack("<Q", len(text)) + text + data[8 + length :]


def test_l10_nothing_foreign_is_loaded(memory: Memory) -> None:
    entry = remember_all(memory, [1])[0]
    good = to_bytes(entry)
    description = json.loads(
        json.loads(good[8 : 8 + struct.unpack("<Q", good[:8])[0]])["__metadata__"][
            "mnemoreel_entry"
        ]
    )

    def described(**changes: object) -> bytes:
        text = json.dumps({**description, **changes})
        return header(entry, __metadata__={"mnemoreel_entry": text})

    name = next(iter(entry.tensors))
    tensor = {"dtype": "BF16", "shape": [1, 1], "data_offsets": [0, 2]}
    corpus = {
        "empty": b"",
        "pickle": b"\x80\x04\x95" + b"x" * 64,
        "huge header": struct.pack("<Q", 1 << 40) + b"{}",
        "no json": struct.pack("<Q", 4) + b"nope",
        "a list": struct.pack("<Q", 2) + b"[]",
        "no description": header(entry, __metadata__={}),
        "broken description": header(entry, __metadata__={"mnemoreel_entry": "{"}),
        "another version": described(version="99"),
        "another grid": described(grid=[1, 1, 1]),
        "no grid": described(grid=[0, 2, 4]),
        "a boundless grid": described(grid=[1 << 30, 1 << 30, 1]),
        "a missing key": described(key=3),
        "another shape": header(entry, **{name: tensor}),
        "an extra tensor": header(entry, extra=tensor),
        "truncated": good[:-10],
    }
    for what, data in corpus.items():
        with pytest.raises(MemoryStateError):
            from_bytes(data, memory)
            pytest.fail(what)
    assert from_bytes(good, memory).key == entry.key
