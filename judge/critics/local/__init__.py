"""Critics on this machine: vision-language models, run by transformers."""
