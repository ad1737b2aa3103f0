"""LoRA adapters: exact low-rank factors, the files they come in, and what those files say."""
