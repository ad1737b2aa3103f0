"""All that a rater's side may know: designs, trials, votes, packets; no database and no method."""
