"""The engine: models, memory, sampling and training."""
