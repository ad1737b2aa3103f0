"""What votes say: pure functions of arrays, each with an interval, each checked against something independent."""
