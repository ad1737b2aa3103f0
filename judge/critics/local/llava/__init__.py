"""LLaVA-OneVision's checkpoints, in transformers' naming and in the original one, with what questions share once."""
