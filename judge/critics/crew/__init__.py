"""A critic of this machine's kind that many workers hold, each a copy: together they are one judge."""
