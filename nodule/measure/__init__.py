"""Nodules' masks on the source grid and what is measured on them."""
