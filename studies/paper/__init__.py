"""Items of the paper that are about people: studies, tried here with simulated raters, which are never people."""
