"""How well detection, segmentation and rating agree with the readers."""
