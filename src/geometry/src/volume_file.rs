//! Volume files: NIfTI, NRRD, MetaImage.
