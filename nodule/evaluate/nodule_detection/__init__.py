"""How well nodules are found: marks against the readers', on whole scans and on crops."""
