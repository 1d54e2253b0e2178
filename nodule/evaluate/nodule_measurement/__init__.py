"""How well grown masks and their sizes agree with the readers' outlines."""
