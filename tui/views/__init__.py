"""What the screens show, worked out without widgets."""
