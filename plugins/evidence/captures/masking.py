"""Photos that other modules want to show to the public: copies on which nobody is to be recognised."""

from __future__ import annotations

from backend.plugin_api import MaskedPhoto, get_blob, get_logger
from plugins.evidence.vision import ExtractionFailed, ModelMissing, masked_copy, models

log = get_logger(__name__)


def masked_photo(sha256: str, space: str) -> MaskedPhoto | None:
    """Return the masked copy of a stored photo; None while no model is there, and when a face cannot be covered.

    It loads the models: called in the worker of the queue `vision` alone.
    """
    try:
        picture, faces = masked_copy(get_blob(sha256, space=space), models())
    except ModelMissing:
        return None
    except ExtractionFailed as error:
        log.warning("a photo cannot be masked", sha256=sha256, reason=str(error))
        return None
    made_by = {name: str(value) for name, value in picture.made_by.items()}
    return MaskedPhoto(content=picture.content, media_type="image/jpeg", faces=faces, made_by=made_by)
