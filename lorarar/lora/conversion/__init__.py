"""Updates of other kinds than plain LoRA (Tucker LoCon, LoHa, LoKr, DoRA) made plain LoRA, one layer at a time."""
