"""What searches go by: MARS2, any metric, or choices between two pictures."""
