"""Critics on this machine: LLaVA-OneVision checkpoints, run by transformers."""
