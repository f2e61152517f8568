"""Big files: encrypted while they stream, named by what is in them, stored once, in a folder or in S3."""

from backend.blobs.content import BlobRef, exists, get, open_blob, put, remove_orphans, shred
from backend.blobs.errors import BlobDamaged, BlobError, BlobMissing, BlobShredded, BlobStoreFull, BlobStoreUnavailable
from backend.blobs.photos import BadPhoto, PhotoFacts, check_photo

__all__ = [
    "BadPhoto",
    "BlobDamaged",
    "BlobError",
    "BlobMissing",
    "BlobRef",
    "BlobShredded",
    "BlobStoreFull",
    "BlobStoreUnavailable",
    "PhotoFacts",
    "check_photo",
    "exists",
    "get",
    "open_blob",
    "put",
    "remove_orphans",
    "shred",
]
