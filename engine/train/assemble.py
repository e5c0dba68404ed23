"""Stage 0: put a Wan folder together: VAE, untrained or warm transformer, text encoder, tokenizer.

Run as `python -m engine.train.assemble --vae runs/tiny_vae/vae --out runs/base`. The result is what
`WanPipeline.save_pretrained` writes, in bfloat16, with a card of our own beside it.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from diffusers import UniPCMultistepScheduler, WanPipeline, WanTransformer3DModel
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import PreTrainedTokenizerFast, UMT5Config, UMT5EncoderModel

from engine.card import Card
from engine.memory.memory_encoder import MemoryEncoder, MemoryEncoderConfig
from engine.models.checkpoint import load_vae
from engine.protocol import WordGroup
from engine.train.world.vocabulary import THEMES, WORDS

PUNCTUATION = (".", ",", ":", ";", "!", "?", "'", '"', "-", "(", ")")
TEXT_WIDTH = 256
SHIFT = 5.0

EMBEDDED_CARD = Card(
    name="Mnemoreel embedded",
    words=WORDS,
    vocabulary=tuple(WordGroup(title=title, phrases=words) for title, words in THEMES.items()),
    text_length=64,
    width=160,
    height=96,
    rate=(8, 1),
    default_frames=17,
    max_frames=41,
    num_steps=6,
    guidance=2.5,
    strength=2.0,
    guidance_floor=0.3,
    token_timestep=0.0,
    knows_names=True,
    memory="frame_preservation",
    frame_multiple=8,
    tokens_per_shot=45,
)
"""What the embedded model is trained for; sampling defaults by measurement (docs/training.md)."""


def build_tokenizer(words: Sequence[str]) -> PreTrainedTokenizerFast:
    """Return a closed-vocabulary tokenizer: one token a word, `<unk>` for all others."""
    pieces = ["<pad>", "</s>", "<unk>", *PUNCTUATION, *words]
    vocabulary = {piece: index for index, piece in enumerate(pieces)}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase()])
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="$A </s>", pair="$A </s> $B </s>", special_tokens=[("</s>", 1)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="<pad>",
        eos_token="</s>",
        unk_token="<unk>",
        model_max_length=EMBEDDED_CARD.text_length,
    )


def build_text_encoder(vocabulary_size: int) -> Any:
    """Return an untrained UMT5 encoder of two layers."""
    config = UMT5Config(
        vocab_size=vocabulary_size,
        d_model=TEXT_WIDTH,
        d_kv=64,
        d_ff=2 * TEXT_WIDTH,
        num_layers=2,
        num_heads=4,
        dropout_rate=0.0,
        pad_token_id=0,
        eos_token_id=1,
        decoder_start_token_id=0,
    )
    encoder = UMT5EncoderModel(config)
    # T5 expects embeddings of deviation 1; ours start where training from scratch is stable.
    torch.nn.init.normal_(encoder.shared.weight, std=0.5)
    return encoder


def build_transformer(num_layers: int = 6, width: int = 256) -> Any:
    """Return an untrained Wan transformer whose output starts at zero."""
    transformer = WanTransformer3DModel(
        num_attention_heads=width // 64,
        attention_head_dim=64,
        in_channels=16,
        out_channels=16,
        text_dim=TEXT_WIDTH,
        freq_dim=256,
        ffn_dim=4 * width,
        num_layers=num_layers,
    )
    torch.nn.init.zeros_(transformer.proj_out.weight)
    torch.nn.init.zeros_(transformer.proj_out.bias)
    return transformer


def build_scheduler() -> Any:
    """Return the scheduler of the real Wan folders: UniPC on flow sigmas, shift 5."""
    return UniPCMultistepScheduler(
        prediction_type="flow_prediction",
        use_flow_sigmas=True,
        num_train_timesteps=1000,
        flow_shift=SHIFT,
    )


def warm_start(transformer: Any, path: Path, *, prefix: str = "dit.") -> int:
    """Copy the tensors of `path` under `prefix` that fit by name and shape; return how many."""
    own = transformer.state_dict()
    found = {k.removeprefix(prefix): v for k, v in load_file(path).items() if k.startswith(prefix)}
    fitting = {k: v.float() for k, v in found.items() if k in own and own[k].shape == v.shape}
    transformer.load_state_dict({**own, **fitting})
    return len(fitting)


def write_checkpoint(pipeline: WanPipeline, encoder: MemoryEncoder, card: Card, out: Path) -> None:
    """Write the Wan folder, phi under `memory/`, and `card.json`, weights in bfloat16."""
    out.mkdir(parents=True, exist_ok=True)
    for name in ("text_encoder", "transformer", "vae"):
        getattr(pipeline, name).to(torch.bfloat16)
    pipeline.save_pretrained(out, safe_serialization=True)
    write_encoder(encoder, out / "memory" / "frame_preservation")
    values = dataclasses.asdict(card)
    (out / "card.json").write_text(json.dumps(values, indent=1) + "\n", "utf-8")


def write_encoder(encoder: MemoryEncoder, folder: Path) -> None:
    """Write phi as config.json and model.safetensors in bfloat16."""
    folder.mkdir(parents=True, exist_ok=True)
    config = dataclasses.asdict(encoder.config)
    (folder / "config.json").write_text(json.dumps(config, indent=1) + "\n", "utf-8")
    tensors = {k: v.to(torch.bfloat16).contiguous() for k, v in encoder.state_dict().items()}
    save_file(tensors, folder / "model.safetensors")


def assemble(vae_folder: Path, out: Path, *, warm: Path | None = None, seed: int = 0) -> None:
    """Write an untrained checkpoint around a trained VAE."""
    torch.manual_seed(seed)
    tokenizer = build_tokenizer(EMBEDDED_CARD.words)
    transformer = build_transformer()
    if warm is not None:
        print(f"{warm_start(transformer, warm)} tensors taken from {warm.name}.")
    pipeline = WanPipeline(
        tokenizer=tokenizer,
        text_encoder=build_text_encoder(len(tokenizer)),
        vae=load_vae(vae_folder),
        scheduler=build_scheduler(),
        transformer=transformer,
    )
    write_checkpoint(pipeline, MemoryEncoder(MemoryEncoderConfig()), EMBEDDED_CARD, out)


def main() -> None:
    """Assemble from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--vae", type=Path, required=True, help="diffusers folder of the VAE")
    parser.add_argument("--out", type=Path, required=True, help="Wan folder to write")
    parser.add_argument("--warm-start", type=Path, help="safetensors with transformer weights")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    assemble(arguments.vae, arguments.out, warm=arguments.warm_start, seed=arguments.seed)


if __name__ == "__main__":
    main()
