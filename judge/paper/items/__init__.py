"""One file an item of the paper: the grids that it needs, and the section that is made of them."""
