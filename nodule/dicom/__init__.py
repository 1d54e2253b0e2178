"""What goes back to a PACS: a structured report and a segmentation."""
