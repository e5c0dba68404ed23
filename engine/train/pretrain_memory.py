"""Stage 3: frame-retrieval pretraining: any frame of the past is drawn from its tokens.

Run as `python -m engine.train.pretrain_memory --checkpoint runs/base --latents runs/latents
--out runs/pretrain --budget-seconds 1200`. The same command continues a run.
"""

from engine.train.memory_stage import run_stage, stage_parser


def main() -> None:
    """Pretrain from the command line: frame retrieval alone."""
    run_stage(stage_parser(__doc__ or "").parse_args(), next_shot_share=0.0)


if __name__ == "__main__":
    main()
