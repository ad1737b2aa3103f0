"""The best setting of a merge for a pair: searched by judged pictures, then confirmed on seeds of its own."""
