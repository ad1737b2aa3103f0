"""All results in one SQLite file: what was merged and generated, and what made it."""

from lorarar.store.store import DEFAULT, ENVIRONMENT, Store, default_path

__all__ = ["DEFAULT", "ENVIRONMENT", "Store", "default_path"]
