"""The stock Wan parts: checkpoint, transformer port, text, LoRA."""
