"""Critics that are known by name: where they come from, what they cost, how they are asked and how they are served."""
