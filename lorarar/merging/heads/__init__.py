"""The heads that a hypernetwork can have beside the paper's, and the table of them all."""
