"""Big files: encrypted while they stream, named by what is in them, stored once a district, in a folder or in S3."""

from backend.blobs.content import BlobRef, exists, get, open_blob, put, shred
from backend.blobs.errors import (
    BlobDamaged,
    BlobError,
    BlobMissing,
    BlobShredded,
    BlobStoreFull,
    BlobStoreUnavailable,
)
from backend.blobs.leftovers import BlobUser, install_users, release, remove_orphans, remove_unreferenced
from backend.blobs.photos import BadPhoto, PhotoFacts, check_photo
from backend.blobs.records import WRAPPED_KEYS, ensure_indexes
from backend.blobs.scrubbing import RottenBlob, ScrubStatus, scrub, scrub_all, scrub_job, scrub_status
from backend.blobs.uploads import drop_expired, drop_upload
from backend.jobs import Job

__all__ = [
    "WRAPPED_KEYS",
    "BadPhoto",
    "BlobDamaged",
    "BlobError",
    "BlobMissing",
    "BlobRef",
    "BlobShredded",
    "BlobStoreFull",
    "BlobStoreUnavailable",
    "BlobUser",
    "PhotoFacts",
    "RottenBlob",
    "ScrubStatus",
    "background_jobs",
    "check_photo",
    "drop_upload",
    "ensure_indexes",
    "exists",
    "get",
    "install_users",
    "open_blob",
    "put",
    "release",
    "remove_orphans",
    "remove_unreferenced",
    "scrub",
    "scrub_all",
    "scrub_status",
    "shred",
]


def background_jobs() -> list[Job]:
    """Return what the platform does about blobs by itself."""
    return [
        Job(name="blobs.expire_uploads", title="清理过期的上传", run=drop_expired, cron="15 * * * *"),
        Job(
            name="blobs.remove_orphans",
            title="清理未完成的文件",
            run=remove_orphans,
            cron="30 3 * * *",
            timeout_seconds=600,
        ),
        Job(
            name="blobs.remove_unreferenced",
            title="清理无人引用的文件",
            run=remove_unreferenced,
            cron="45 3 * * *",
            timeout_seconds=600,
        ),
        # Longer than a run reads, by the time that one very large blob may take.
        Job(name="blobs.scrub", title="检查文件是否完好", run=scrub_job, every_seconds=600, timeout_seconds=300),
    ]
