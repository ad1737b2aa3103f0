"""Pictures: in and out of files, contact sheets, and the references a LoRA was trained on."""
