"""Stage 4: the next shot from its prompt and the memory of the past, with some retrieval kept.

Run as `python -m engine.train.finetune --checkpoint runs/pretrain/checkpoint --latents runs/latents
--out runs/finetune --budget-seconds 7200`. With `--lora-rank 128` a base is left as it is and a
LoRA is trained through peft; without, all weights are.
"""

from engine.train.memory_stage import run_stage, stage_parser


def main() -> None:
    """Fine-tune from the command line."""
    parser = stage_parser(__doc__ or "")
    parser.add_argument(
        "--next-shot-share", type=float, default=0.75, help="the rest is frame retrieval"
    )
    arguments = parser.parse_args()
    run_stage(arguments, next_shot_share=arguments.next_shot_share)


if __name__ == "__main__":
    main()
