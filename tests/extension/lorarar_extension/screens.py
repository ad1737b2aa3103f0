"""The row of a screen; the screen itself loads when it is opened."""

from tui.modes import Mode

SEEDS = Mode(key="6", name="seeds", title="Seeds", place="lorarar_extension.seeds_screen:SeedsScreen")
