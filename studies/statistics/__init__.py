"""Statistics of votes: pure functions of arrays, each with an interval, each checked against something independent."""
