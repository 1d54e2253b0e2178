"""Judges candidates: nodule or not, how suspicious, and what it looks like."""
