"""How far the judge can be trusted: order, wording, controls, settings, and truth or people where they are known."""
