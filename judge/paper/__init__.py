"""The paper's tables, figures and questions, each by one command: ``lorarar paper``."""
