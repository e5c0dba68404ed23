"""Stage 4: the next shot from its prompt and the memory of the past, with some retrieval kept.

Run as `python -m engine.train.finetune --checkpoint runs/pretrain/checkpoint --latents runs/latents
--out runs/finetune --budget-seconds 7200`. With `--lora-rank 128` a base is left as it is and a
LoRA is trained through peft; without, all weights are.
"""

from engine.train.memory_stage import run_stage, stage_parser
from engine.train.objectives import ObjectiveOptions


def main() -> None:
    """Fine-tune from the command line."""
    parser = stage_parser(__doc__ or "")
    parser.add_argument(
        "--next-shot-share", type=float, default=0.75, help="the rest is frame retrieval"
    )
    parser.add_argument(
        "--no-memory",
        type=float,
        default=ObjectiveOptions.no_memory,
        help="share of next-shot batches without memory; 1 = looks from descriptions only",
    )
    arguments = parser.parse_args()
    run_stage(
        arguments,
        next_shot_share=arguments.next_shot_share,
        objective=ObjectiveOptions(no_memory=arguments.no_memory),
    )


if __name__ == "__main__":
    main()
