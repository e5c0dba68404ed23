"""The two objectives: draw masked frames of the past (stage I), draw the next shot (stage II).

arXiv 2512.23851, 3.1 and 3.2. Flow matching: x_sigma = (1 - sigma) x + sigma eps, the network
predicts eps - x.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from engine.context import EMPTY, Context
from engine.sampling.schedule import shifted
from engine.train.batches import MemoryBatch
from engine.train.trainee import Trainee


@dataclass(frozen=True, kw_only=True)
class ObjectiveOptions:
    """Shares and shifts, each measured on the prototype (docs/training.md)."""

    shift: float = 5.0
    """Timestep shift of next-shot training: identity is decided at sigma >= 0.8."""
    detail: float = 0.3
    """Share of next-shot items whose noise is drawn with `detail_shift` instead: with shift 5 alone
    one item in twenty had sigma < 0.5, where faces and letters are made, and they smeared."""
    detail_shift: float = 1.0
    retrieval_shift: float = 3.0
    pure_noise: float = 0.6
    """Share of retrieval samples at sigma = 1: what makes one-step recall the mean."""
    pure_picture: float = 0.3
    """Share of pictures at sigma = 1: what teaches a description fastest."""
    unmasked: float = 0.75
    """Share of retrieval batches that read the clean past, as the studio's recall does."""
    mask_floor: float = 0.2
    """Least noise on a masked latent: sigma_f ~ L(0.2, 1)."""
    no_memory: float = 0.5
    """Share of next-shot batches without memory: the first shot of every film, and what memory
    guidance guides away from."""
    window: float = 0.08
    """Share of next-shot batches that read a sliding window instead of phi."""
    salience: float = 3.0
    """Extra weight of cells with people, props or signs in next-shot batches: a figure covers a
    tenth of the picture, and its look is what memory is for."""
    looks: float = 3.0
    """Extra weight of what tells looks apart in next-shot batches: before, a film's people turned
    from tan to pale and from brown to dark (docs/decisions/0014; not told apart from its rule)."""
    retrieval_salience: float = 0.5
    """Both for frame retrieval, which is measured over the whole picture."""
    noisy_past: float = 0.3
    """Share of next-shot batches whose past is noised: a film reads its own takes."""
    most_past_noise: float = 0.4
    """Highest sigma of a noised past shot; each has its own."""
    no_text: float = 0.1
    """Share of next-shot items with an empty prompt, so that text guidance is possible."""
    no_names: float = 0.15
    """Share of next-shot batches in which nothing says who is in a past shot, as with footage."""


@dataclass(frozen=True, kw_only=True)
class Loss:
    """A loss to be minimised, and the name of what it measures."""

    value: Tensor
    name: str


def sample_sigma(count: int, shift: float, generator: torch.Generator | None = None) -> Tensor:
    """Return noise levels ~ L(0, 1): logit-normal, shifted."""
    return shifted(torch.sigmoid(torch.randn(count, generator=generator)), shift)


def mask_history(
    batch: MemoryBatch, options: ObjectiveOptions, rate_t: int
) -> tuple[Tensor, Tensor]:
    """Return H~, the past with every latent outside Omega noised, and the same for its LR clip.

    A reduced latent stays clean if it covers a latent of Omega. Latents of Omega are unchanged.
    """
    batch_size, num_past, _, length = batch.past_BNCTHW.shape[:4]
    omega = (batch.times_BT + num_past * length).long()
    is_clean = torch.zeros(batch_size, num_past * length, dtype=torch.bool)
    is_clean.scatter_(1, omega, True)
    is_clean_BNT = is_clean.view(batch_size, num_past, length)
    short = batch.past_lr_BNCTHW.shape[3]
    covers = torch.zeros(batch_size, num_past, short, dtype=torch.bool)
    covers[..., 0] = is_clean_BNT[..., 0]
    for j in range(1, short):
        covers[..., j] = is_clean_BNT[..., rate_t * (j - 1) + 1 : rate_t * j + 1].any(-1)
    sigma = options.mask_floor + (1 - options.mask_floor) * sample_sigma(
        batch_size * num_past * length, 1.0
    ).view(batch_size, num_past, length)
    picks = torch.tensor([0, *range(rate_t, length, rate_t)])[:short]
    full = _noised(batch.past_BNCTHW, torch.where(is_clean_BNT, 0.0, sigma))
    reduced = _noised(batch.past_lr_BNCTHW, torch.where(covers, 0.0, sigma[..., picks]))
    return full, reduced


def retrieval_loss(trainee: Trainee, batch: MemoryBatch, options: ObjectiveOptions) -> Loss:
    """Return the loss of drawing Omega from memory tokens with an empty prompt."""
    past, reduced = batch.past_BNCTHW, batch.past_lr_BNCTHW
    if torch.rand(()) >= options.unmasked:
        past, reduced = mask_history(batch, options, trainee.encoder.config.rate_hwt[2])
    sigma = sample_sigma(len(batch.captions), options.retrieval_shift)
    sigma = torch.where(torch.rand(len(sigma)) < options.pure_noise, 1.0, sigma)
    text = trainee.embed([""]).expand(len(sigma), -1, -1)
    context = trainee.memory_context(past, reduced)
    extra = (options.retrieval_salience, options.retrieval_salience)
    return Loss(value=_flow_loss(trainee, batch, sigma, text, context, extra), name="retrieval")


def next_shot_loss(trainee: Trainee, batch: MemoryBatch, options: ObjectiveOptions) -> Loss:
    """Return the loss of drawing a shot from its prompt and the memory of the past, if any."""
    is_named = float(torch.rand(())) >= options.no_names
    prompt_share_BN = batch.prompt_share_BN if is_named else None
    past, reduced = rough_past(batch, options)
    if batch.num_past == 0:
        context, name = EMPTY, "next_none"
    elif float(torch.rand(())) < options.window:
        context, name = trainee.window_context(past, prompt_share_BN), "next_window"
    else:
        context, name = trainee.memory_context(past, reduced, prompt_share_BN), "next"
    keep = torch.rand(len(batch.captions)) >= options.no_text
    captions = [c if k else "" for c, k in zip(batch.captions, keep.tolist(), strict=True)]
    sigma = sample_sigma(len(captions), options.shift)
    is_detail = torch.rand(len(sigma)) < options.detail
    sigma = torch.where(is_detail, sample_sigma(len(sigma), options.detail_shift), sigma)
    if batch.target_BCTHW.shape[2] == 1:
        # A picture from pure noise: nothing but the caption says what it shows.
        sigma = torch.where(torch.rand(len(sigma)) < options.pure_picture, 1.0, sigma)
    text = trainee.embed(captions)
    extra = (options.salience, options.looks)
    value = _flow_loss(trainee, batch, sigma, text, context, extra)
    return Loss(value=value, name=name)


def _flow_loss(
    trainee: Trainee,
    batch: MemoryBatch,
    sigma_B: Tensor,
    text_BLD: Tensor,
    context: Context,
    extra: tuple[float, float],
) -> Tensor:
    eps = torch.randn_like(batch.target_BCTHW)
    level = sigma_B.view(-1, 1, 1, 1, 1)
    noisy = (1 - level) * batch.target_BCTHW + level * eps
    velocity = trainee(noisy, sigma_B, text_BLD, context, batch.times_BT)
    error_BTHW = (velocity.float() - (eps - batch.target_BCTHW)).pow(2).mean(1)
    return weighted_mean(error_BTHW, weight_of(batch, *extra))


def weight_of(batch: MemoryBatch, salience: float, looks: float) -> Tensor:
    """Return the weight B T H W of every target cell: 1 and what is extra, see `MemoryBatch`."""
    return 1 + salience * batch.salience_BTHW + looks * batch.looks_BTHW


def weighted_mean(error_BTHW: Tensor, weight_BTHW: Tensor) -> Tensor:
    """Return the mean of `error_BTHW` where cells weigh `weight_BTHW`."""
    mean: Tensor = (weight_BTHW * error_BTHW).sum() / weight_BTHW.sum()
    return mean


def rough_past(batch: MemoryBatch, options: ObjectiveOptions) -> tuple[Tensor, Tensor]:
    """Return the past and its reduced clips, noised for a share of the batches."""
    past, reduced = batch.past_BNCTHW, batch.past_lr_BNCTHW
    if batch.num_past == 0 or float(torch.rand(())) >= options.noisy_past:
        return past, reduced
    sigma_BN1 = options.most_past_noise * torch.rand(*past.shape[:2], 1)
    return _noised(past, sigma_BN1), _noised(reduced, sigma_BN1)


def _noised(latents_BNCTHW: Tensor, sigma_BNT: Tensor) -> Tensor:
    """Return latents at the noise levels of their shots and times; T may be 1 for all times."""
    sigma = sigma_BNT[:, :, None, :, None, None]
    return (1 - sigma) * latents_BNCTHW + sigma * torch.randn_like(latents_BNCTHW)
