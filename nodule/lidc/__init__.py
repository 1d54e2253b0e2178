"""Readings, lists and crops of LIDC-IDRI and LUNA16."""
