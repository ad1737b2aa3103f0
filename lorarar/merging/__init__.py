"""The mathematics of merging: methods, the hypernetwork, and the recipe that decides a merge."""
