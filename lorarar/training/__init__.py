"""Training: one resumable loop, and what it trains (LoRAs, hypernetworks)."""
