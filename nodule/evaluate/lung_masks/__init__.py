"""How well lung masks agree with references, and whether they keep the readers' nodules."""
