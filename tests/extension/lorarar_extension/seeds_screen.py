"""Seeds: how many pictures of a collection each seed made."""

from collections import Counter

from textual.widgets import Static

from tui.screens.browse import BrowseScreen


class SeedsScreen(BrowseScreen):
    """Shows which seeds the pictures have."""

    HELP = "Seeds: how many pictures each seed made."

    def body(self):
        """One line for each seed."""
        yield Static("", id="seeds")

    def update(self, snapshot):
        """Count the pictures by seed."""
        seeds = Counter(picture.seed for picture in snapshot.pictures)
        lines = [f"seed {seed}: {count} pictures" for seed, count in sorted(seeds.items())]
        self.query_one("#seeds", Static).update("\n".join(lines))
