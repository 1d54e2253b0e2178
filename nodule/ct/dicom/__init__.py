"""DICOM: what a file says, whether a series may be trusted, and its pixels in HU."""
