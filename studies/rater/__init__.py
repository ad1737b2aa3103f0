"""All that a rater's side may know: designs, trials, votes and packets; no database, no method."""
