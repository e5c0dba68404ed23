"""A tiny untrained checkpoint and its loaded model, built once for all engine tests."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from diffusers import AutoencoderKLWan, WanPipeline

from engine.device.probe import Device
from engine.memory.memory_encoder import MemoryEncoder, MemoryEncoderConfig
from engine.recipes import Model, load_model, wan
from engine.train.assemble import (
    EMBEDDED_CARD,
    build_scheduler,
    build_text_encoder,
    build_tokenizer,
    build_transformer,
    write_checkpoint,
)

WIDTH, HEIGHT = 64, 32
CPU = Device(name="cpu", dtype=torch.float32, threads=1, milliseconds={})


def build_tiny_checkpoint(folder: Path) -> Path:
    """Write an untrained Wan folder whose every output depends on its inputs."""
    torch.manual_seed(7)
    vae = AutoencoderKLWan(
        base_dim=8,
        decoder_base_dim=8,
        z_dim=16,
        dim_mult=[1, 1, 1],
        num_res_blocks=1,
        temperal_downsample=[True, True],
        patch_size=2,
        in_channels=12,
        out_channels=12,
        scale_factor_spatial=8,
        scale_factor_temporal=4,
        latents_mean=[0.0] * 16,
        latents_std=[1.0] * 16,
    )
    transformer = build_transformer(num_layers=2, width=128)
    torch.nn.init.normal_(transformer.proj_out.weight, std=0.05)
    encoder = MemoryEncoder(MemoryEncoderConfig(width=128, channels=(8, 16, 16, 16)))
    torch.nn.init.normal_(encoder.out.weight, std=0.2)
    tokenizer = build_tokenizer(EMBEDDED_CARD.words)
    pipeline = WanPipeline(
        tokenizer=tokenizer,
        text_encoder=build_text_encoder(len(tokenizer)),
        vae=vae,
        scheduler=build_scheduler(),
        transformer=transformer,
    )
    card = dataclasses.replace(
        EMBEDDED_CARD, name="tiny", width=WIDTH, height=HEIGHT, default_frames=9, num_steps=3
    )
    write_checkpoint(pipeline, encoder, card, folder)
    return folder


@pytest.fixture(scope="session")
def tiny_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An untrained Wan folder, 64 x 32."""
    return build_tiny_checkpoint(tmp_path_factory.mktemp("tiny") / "checkpoint")


@pytest.fixture(scope="session")
def model(tiny_checkpoint: Path) -> Model:
    """The tiny checkpoint, loaded on one thread in float32."""
    torch.set_num_threads(1)
    return load_model(wan(tiny_checkpoint), CPU)


@pytest.fixture
def seeded() -> Iterator[None]:
    """The same random numbers for every test that asks for it."""
    torch.manual_seed(0)
    yield
