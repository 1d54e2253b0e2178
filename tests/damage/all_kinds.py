"""Every kind of damage by name."""

from damage import (
    broken_files,
    broken_frames,
    image_bytes,
    misplaced_slices,
    misread_values,
    mixed_identity,
    nifti_headers,
    text_headers,
)
from damage.kinds import Kind

SERIES_KINDS: dict[str, Kind] = {
    **misplaced_slices.KINDS,
    **misread_values.KINDS,
    **mixed_identity.KINDS,
    **broken_files.KINDS,
    **broken_frames.KINDS,
}
IMAGE_KINDS: dict[str, Kind] = {
    **nifti_headers.KINDS,
    **text_headers.KINDS,
    **image_bytes.KINDS,
}
