"""Any vision-language model that transformers knows and that brings a chat template, by its own processor."""
