"""Image files: NIfTI, MetaImage and NRRD."""
