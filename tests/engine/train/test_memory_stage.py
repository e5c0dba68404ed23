"""The memory stages: exact resume, both ways of training, and objectives that hide nothing."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from PIL import Image
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from engine.latent_time import num_latents
from engine.models.checkpoint import load_vae
from engine.recipes import load_model, wan
from engine.specs import LATER_SHARE
from engine.train.attention import write_out_attention
from engine.train.batches import (
    PastMixture,
    StoryPool,
    first_shot_batch,
    next_shot_batch,
    retrieval_batch,
)
from engine.train.latents import (
    MOST_LOOK,
    Retakes,
    StoryLatents,
    dials_of,
    encode_story,
    looks_of,
    read_shard,
    salience_of,
    write_shard,
)
from engine.train.memory_stage import MemoryStage, MemoryTraining, train, with_other_colours
from engine.train.objectives import (
    ObjectiveOptions,
    mask_history,
    rough_past,
    weight_of,
    weighted_mean,
)
from engine.train.retakes import add_retakes, read_retakes
from engine.train.world.canvas import FIGURE, LANDMARK, SIGN
from engine.train.world.retakes import retaken
from engine.train.world.story import WorldDials, tell
from tests.engine.conftest import CPU


@pytest.fixture(scope="module")
def stories(tiny_checkpoint: Path) -> list[StoryLatents]:
    torch.set_num_threads(1)
    vae = load_vae(tiny_checkpoint / "vae")
    dials = WorldDials(num_frames=9, min_shots=3, max_shots=4)
    return [encode_story(vae, tell(seed, dials)) for seed in range(6)]


@pytest.fixture(scope="module")
def shards(stories: list[StoryLatents], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("latents")
    write_shard(folder / "0000000.safetensors", stories)
    return folder


def stage(tiny_checkpoint: Path, shards: Path, out: Path, **options: object) -> MemoryStage:
    return replace(
        MemoryStage(
            checkpoint=tiny_checkpoint,
            latents=shards,
            out=out,
            next_shot_share=0.5,
            budget_steps=4,
            batch_size=2,
            save_seconds=0.0,
            use_bfloat16=False,
            num_validation=4,
            sheet_rows=0,
        ),
        **options,  # type: ignore[arg-type]
    )


def test_a_shard_reads_back(stories: list[StoryLatents], shards: Path) -> None:
    for kept, story in zip(read_shard(shards / "0000000.safetensors"), stories, strict=True):
        assert (kept.seed, kept.captions) == (story.seed, story.captions)
        assert kept.same_person == story.same_person
        assert torch.allclose(kept.latents_SCTHW.float(), story.latents_SCTHW, atol=1e-2)
    assert len(StoryPool(shards)) == len(stories)


def test_a_shard_of_an_older_version_is_refused(shards: Path, tmp_path: Path) -> None:
    with safe_open(shards / "0000000.safetensors", "pt") as file:
        names = [name for name in file.keys() if not name.endswith(".looks")]  # noqa: SIM118
        tensors, about = {name: file.get_tensor(name) for name in names}, file.metadata()
    save_file(tensors, tmp_path / "old.safetensors", metadata=about)
    with pytest.raises(ValueError, match=r"old\.safetensors has no weights of looks.*run"):
        list(read_shard(tmp_path / "old.safetensors"))


def test_the_person_is_always_in_the_past(stories: list[StoryLatents]) -> None:
    rng = random.Random(0)
    for _ in range(20):
        batch = next_shot_batch(stories, 1, rng)
        assert batch.num_past == 1
        for item, story in enumerate(stories):
            target = story.captions.index(batch.captions[item])
            if story.same_person[target]:
                last = story.latents_SCTHW[story.same_person[target][-1]]
                assert torch.equal(batch.past_BNCTHW[item, 0], last.float())


def test_batches_are_cut_under_autocast_too(stories: list[StoryLatents]) -> None:
    """The dashboard does so where bfloat16 is fast, and looks are kept in half precision."""
    assert stories[0].looks_STHW.dtype == torch.float16
    with torch.autocast("cpu", torch.bfloat16):
        for batch in (
            first_shot_batch(stories, random.Random(0)),
            next_shot_batch(stories, 2, random.Random(0)),
            retrieval_batch(stories, 2, random.Random(0)),
        ):
            assert batch.target_BCTHW.dtype == batch.looks_BTHW.dtype == torch.float32


def test_a_shot_without_a_past_is_told_in_full(stories: list[StoryLatents]) -> None:
    batch = first_shot_batch(stories, random.Random(0), told=1.0)
    assert batch.num_past == 0
    assert all(
        caption in story.descriptions
        for caption, story in zip(batch.captions, stories, strict=True)
    )
    assert all("shirt" in caption for caption in batch.captions)


def test_pictures_are_first_latents_of_shots(stories: list[StoryLatents]) -> None:
    clips = first_shot_batch(stories, random.Random(3))
    pictures = first_shot_batch(stories, random.Random(3), num_latents=1)
    assert torch.equal(pictures.target_BCTHW, clips.target_BCTHW[:, :, :1])
    assert torch.equal(pictures.salience_BTHW, clips.salience_BTHW[:, :1])
    assert torch.equal(pictures.looks_BTHW, clips.looks_BTHW[:, :1])
    assert pictures.times_BT.tolist() == [[0]] * len(stories)
    assert pictures.captions == clips.captions


def test_other_colours_change_every_colour_and_nothing_else() -> None:
    assert with_other_colours("Mia wears a white striped shirt and blue trousers.") == (
        "Mia wears a red striped shirt and green trousers."
    )


def test_people_props_and_signs_weigh_more_than_the_background() -> None:
    labels = torch.zeros(5, 96, 160, dtype=torch.uint8)
    labels[:, 8:16, 16:24] = FIGURE
    labels[1:3, :8, :8] = SIGN
    labels[:, 88:, :] = LANDMARK
    salience = salience_of(labels)
    assert salience.shape == (2, 12, 20)
    assert salience[:, 1, 2].tolist() == [255, 255]
    assert salience[:, 0, 0].tolist() == [0, 128]
    assert int(salience.sum()) == 2 * 255 + 128


def test_weight_on_people_costs_an_error_there_more(stories: list[StoryLatents]) -> None:
    batch = next_shot_batch(stories, 1, random.Random(0))
    is_figure = batch.salience_BTHW > 0.5
    assert is_figure.any() and batch.salience_BTHW.max() <= 1
    error = is_figure.float()
    plain = weighted_mean(error, weight_of(batch, 0.0, 0.0))
    assert torch.isclose(plain, error.mean())
    assert weighted_mean(error, weight_of(batch, 3.0, 0.0)) > 1.5 * plain


def test_small_and_similar_colours_weigh_as_much_as_a_shirt() -> None:
    """Skin covers a third of a shirt in a wide shot, and brown is near dark."""
    shot = next(
        shot
        for seed in range(100)
        for shot in tell(seed).shots
        if shot.framing == "wide" and shot.action == "stands" and shot.character.skin == "brown"
    )
    character = replace(shot.character, hat="none", long_hair=False)
    looks = looks_of(replace(shot, characters=(character,)))
    assert looks.shape == (num_latents(shot.num_frames), 12, 20)
    paler = looks_of(replace(shot, characters=(replace(character, skin="pale"),)))
    face = (looks != paler).any(0)
    assert 0 < face.sum() < 30, "only cells that show skin weigh otherwise"
    assert (looks[:, face] > paler[:, face]).all()
    assert looks.max() <= MOST_LOOK
    assert (looks == 0).float().mean() > 0.7, "nothing of the background counts"


def place_of(latents: Tensor, shots_SCTHW: Tensor) -> int | None:
    """Return which of a story's shots a past shot of a batch is."""
    same = [k for k, shot in enumerate(shots_SCTHW) if torch.equal(latents, shot.float())]
    return same[0] if same else None


def test_the_first_shot_of_a_person_reads_the_prompt_wholly_and_later_ones_less(
    stories: list[StoryLatents],
) -> None:
    batch = next_shot_batch(stories, 2, random.Random(3), num_latents=1)
    assert batch.prompt_share_BN is not None and batch.target_BCTHW.shape[2] == 1
    seen = set()
    for item, story in enumerate(stories):
        known = story.same_person[story.captions.index(batch.captions[item])]
        places = [place_of(shot, story.latents_SCTHW) for shot in batch.past_BNCTHW[item]]
        of_person = [place for place in places if place in known]
        for place, share in zip(places, batch.prompt_share_BN[item].tolist(), strict=True):
            first = 1.0 if place in of_person[:1] else LATER_SHARE
            assert share == (first if place in known else 0.0)
            seen.add(share)
    assert seen == {0.0, LATER_SHARE, 1.0}


def moved(story: StoryLatents) -> Retakes:
    """Return retakes that are nobody's shots."""
    return Retakes(latents_SCTHW=story.latents_SCTHW + 1, lr_SCTHW=story.lr_SCTHW + 1)


def test_retakes_take_the_place_of_later_shots_alone(stories: list[StoryLatents]) -> None:
    again = [replace(s, retakes=moved(s)) for s in stories]
    mixture = PastMixture(first=1.0, retaken=1.0, strangers=0.0)
    num_retaken = 0
    for seed in range(10):
        batch = next_shot_batch(again, 2, random.Random(seed), mixture=mixture)
        assert batch.prompt_share_BN is not None
        for item, story in enumerate(again):
            known = story.same_person[story.captions.index(batch.captions[item])]
            shares = batch.prompt_share_BN[item].tolist()
            for shot, share in zip(batch.past_BNCTHW[item], shares, strict=True):
                place = place_of(shot, story.latents_SCTHW)
                assert (share == LATER_SHARE) == (place is None), "later shots, and only those"
                if place is None:
                    assert place_of(shot - 1, story.latents_SCTHW) in known[1:]
                    num_retaken += 1
            assert (shares.count(1.0) == 1) == bool(known)
    assert num_retaken > 0


def test_nobody_of_another_story_reads_the_prompt(stories: list[StoryLatents]) -> None:
    batch = next_shot_batch(
        stories, 2, random.Random(0), mixture=PastMixture(first=0.0, retaken=0.0, strangers=1.0)
    )
    assert batch.prompt_share_BN is not None and not batch.prompt_share_BN.any()
    for item, shots in enumerate(batch.past_BNCTHW):
        assert batch.captions[item] in stories[item].captions
        stranger = stories[(item + 1) % len(stories)]
        assert all(place_of(shot, stranger.latents_SCTHW) is not None for shot in shots)


def test_retakes_are_kept_beside_their_shard(tiny_checkpoint: Path, tmp_path: Path) -> None:
    vae = load_vae(tiny_checkpoint / "vae")
    shard = tmp_path / "0000000.safetensors"
    told = [encode_story(vae, tell(seed, dials_of(seed))) for seed in (3, 4)]
    write_shard(shard, told)
    assert read_retakes(shard) == {}
    add_retakes(vae, shard)
    assert list(read_retakes(shard)) == [3, 4]
    for story in StoryPool(tmp_path).pick(random.Random(0), 4, 1):
        assert story.retakes is not None
        changed = (story.retakes.latents_SCTHW != story.latents_SCTHW).flatten(1).any(1)
        lr_changed = (story.retakes.lr_SCTHW != story.lr_SCTHW).flatten(1).any(1)
        drawn = tell(story.seed, dials_of(story.seed))
        differ = [a != b for a, b in zip(drawn.shots, retaken(drawn).shots, strict=True)]
        assert changed.tolist() == lr_changed.tolist() == differ
        assert any(differ)


def test_a_rough_past_keeps_its_target_and_its_shape(stories: list[StoryLatents]) -> None:
    batch = next_shot_batch(stories, 2, random.Random(0))
    always, never = (ObjectiveOptions(noisy_past=share) for share in (1.0, 0.0))
    clean, rough = rough_past(batch, never), rough_past(batch, always)
    assert clean[0] is batch.past_BNCTHW and clean[1] is batch.past_lr_BNCTHW
    for before, after in zip(clean, rough, strict=True):
        assert after.shape == before.shape
        moved = (after - before).pow(2).mean(dim=(2, 3, 4, 5))
        assert (moved > 0).all() and moved.std() > 0  # every shot, each by its own level


def test_queries_carry_the_time_of_their_place(stories: list[StoryLatents]) -> None:
    batch = retrieval_batch(stories, 2, random.Random(1))
    length = batch.past_BNCTHW.shape[3]
    line = batch.past_BNCTHW.transpose(1, 2).flatten(2, 3)
    for item in range(len(stories)):
        for query in range(3):
            place = int(batch.times_BT[item, query]) + 2 * length
            assert torch.equal(batch.target_BCTHW[item, :, query], line[item, :, place])


def test_masking_leaves_omega_alone_and_noises_the_rest(stories: list[StoryLatents]) -> None:
    torch.manual_seed(0)
    batch = retrieval_batch(stories, 2, random.Random(1))
    full, reduced = mask_history(batch, ObjectiveOptions(), 2)
    length = batch.past_BNCTHW.shape[3]
    omega = batch.times_BT + 2 * length
    for item in range(len(stories)):
        for place in range(2 * length):
            shot, latent = divmod(place, length)
            same = torch.equal(
                full[item, shot, :, latent], batch.past_BNCTHW[item, shot, :, latent]
            )
            assert same == (place in omega[item].tolist())
        for shot in range(2):
            for short in range(reduced.shape[3]):
                covered = [0] if short == 0 else [2 * short - 1, 2 * short]
                hit = any(shot * length + c in omega[item].tolist() for c in covered)
                same = torch.equal(
                    reduced[item, shot, :, short], batch.past_lr_BNCTHW[item, shot, :, short]
                )
                assert same == hit


def test_written_out_attention_equals_the_stock_one(tiny_checkpoint: Path) -> None:
    model = load_model(wan(tiny_checkpoint), CPU)
    latents = torch.randn(1, 16, 3, 4, 8, generator=torch.Generator().manual_seed(0))
    from engine.context import EMPTY

    stock = model.velocity(latents, 0.5, model.empty_text, EMPTY)
    write_out_attention(model.parts.transformer)
    assert torch.allclose(model.velocity(latents, 0.5, model.empty_text, EMPTY), stock, atol=1e-5)
    with torch.autocast("cpu", torch.bfloat16):  # attends by products, float32 by PyTorch's own
        rounded = model.velocity(latents, 0.5, model.empty_text, EMPTY)
    assert (rounded - stock).pow(2).mean() < 1e-3 * stock.pow(2).mean()


def weights(out: Path) -> dict[str, torch.Tensor]:
    return torch.load(out / "state.pt", weights_only=True)["trainee"]  # type: ignore[no-any-return]


def test_resuming_is_bit_equal_to_never_having_stopped(
    tiny_checkpoint: Path, shards: Path, tmp_path: Path
) -> None:
    torch.set_num_threads(1)
    whole = stage(tiny_checkpoint, shards, tmp_path / "whole")
    rows = list(train(whole))
    assert [row["step"] for row in rows] == [1, 2, 3, 4]
    broken = stage(tiny_checkpoint, shards, tmp_path / "broken")
    first = train(broken)
    next(first)
    next(first)
    first.close()
    list(train(broken))
    for name, value in weights(whole.out).items():
        assert torch.equal(value, weights(broken.out)[name]), name


def test_all_weights_of_the_tiny_model_are_trained_and_shipped(
    tiny_checkpoint: Path, shards: Path, tmp_path: Path
) -> None:
    run = stage(tiny_checkpoint, shards, tmp_path / "run", sheet_rows=1, budget_steps=1)
    list(train(run))
    with Image.open(run.out / "contact_sheet.png") as sheet:
        assert sheet.width > 5 * 160
    before = load_model(wan(tiny_checkpoint), CPU).parts
    after = load_model(wan(run.out / "checkpoint"), CPU).parts
    assert after.card == before.card
    old, new = before.transformer.state_dict(), after.transformer.state_dict()
    assert any(not torch.equal(old[key], new[key]) for key in old)
    # The text encoder has a stage of its own and is frozen after it.
    old, new = before.text_encoder.state_dict(), after.text_encoder.state_dict()
    assert all(torch.equal(old[key], new[key]) for key in old)
    assert torch.equal(
        before.vae.state_dict()["decoder.conv_in.weight"],
        after.vae.state_dict()["decoder.conv_in.weight"],
    )


def test_with_a_base_only_lora_and_phi_are_trained(
    tiny_checkpoint: Path, shards: Path, tmp_path: Path
) -> None:
    run = stage(tiny_checkpoint, shards, tmp_path / "run", lora_rank=4)
    training = MemoryTraining(run)
    trained = {n for n, w in training.trainee.named_parameters() if w.requires_grad}
    assert trained
    assert all("lora_" in name or name.startswith("encoder.") for name in trained)
    list(train(run))
    folder = run.out / "checkpoint"
    assert (folder / "pytorch_lora_weights.safetensors").is_file()
    assert (folder / "memory" / "frame_preservation" / "model.safetensors").is_file()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # PyTorch compiles with many warnings about itself
def test_compiled_blocks_train_like_single_operations(
    tiny_checkpoint: Path, shards: Path, tmp_path: Path
) -> None:
    losses = []
    for is_compiled in (False, True):
        training = MemoryTraining(
            stage(tiny_checkpoint, shards, tmp_path, budget_steps=4, is_compiled=is_compiled)
        )
        losses.append([float(training.step().value) for _ in range(4)])
    assert losses[0] == pytest.approx(losses[1], rel=1e-3)
