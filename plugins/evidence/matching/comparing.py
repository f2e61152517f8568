"""Comparing the face of a confirmed case with those of other confirmed cases of the same switched-on area."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import numpy as np
from bson import ObjectId
from numpy.typing import NDArray

from backend.plugin_api import (
    Event,
    Postponed,
    atomically,
    audit,
    current_settings,
    decrypt_field,
    district_of,
    get_blob,
    get_logger,
)
from plugins.evidence.captures.models import Capture, Exhibit
from plugins.evidence.cases.models import Case
from plugins.evidence.custody import note
from plugins.evidence.matching.activation import MOST_TEMPLATES, activation_of
from plugins.evidence.matching.models import Activation, Template
from plugins.evidence.vision import ModelMissing, NoFaceThere, models, template
from plugins.evidence.vision import Template as FaceTemplate

#: So many cases are named as possible repeats at most, the most alike first.
MOST_REPEATS = 5
BATCH = 2000

Vector = NDArray[np.float32]
log = get_logger(__name__)


def compare_case(event: Event) -> None:
    """Keep the subject's template of a confirmed penalty case and name the cases that may be about the same person."""
    case = Case.objects(id=ObjectId(event.payload["case"])).first()
    if case is None or case.subject is None or not case.penalty or case.shredding_at:
        return
    activation = activation_of(case.area)
    if activation is None or Template.objects(case=case.id).first() is not None:
        return
    exhibit = Exhibit.objects(id=case.subject, kind="face").first()
    if exhibit is None or not exhibit.comparable:
        return
    if Template.objects.count() >= MOST_TEMPLATES:
        log.error("face templates at the limit", limit=MOST_TEMPLATES)
        return
    try:
        vector, model = template_of(exhibit)
    except NoFaceThere:  # a face that a person drew, and no model finds
        return
    repeats = [
        {"case": str(row["case"]), "number": row["number"], "likeness": round(likeness, 3)}
        for likeness, row in most_alike(activation, vector, model)
    ]
    kept = Template(
        area=case.area,
        activation=activation.id,
        case=case.id,
        number=case.number,
        exhibit=exhibit.id,
        model_sha256=model,
    )
    kept.vector = base64.b64encode(vector.astype(np.float16).tobytes()).decode()

    def write() -> None:
        # Whoever switches comparison off at this moment changes this record too: one of the two begins anew.
        still = {"_id": activation.id, "ended_at": None}
        if not Activation._get_collection().update_one(still, {"$inc": {"version": 1}}).modified_count:
            return
        kept.save(force_insert=True)
        Case._get_collection().update_one({"_id": case.id}, {"$set": {"repeats": repeats}, "$inc": {"version": 1}})
        where = {"subject": "evidence.case", "subject_id": str(case.id), "area": case.area}
        note("compared", case=str(case.id), sha256=exhibit.sha256, detail={"possible_repeats": len(repeats)}, **where)
        audit.record("evidence.case.compare", detail={"possible_repeats": len(repeats)}, **where)

    atomically(write)


def forget_case(event: Event) -> None:
    """Delete the template of a case that turned out to be none."""
    Template.objects(case=ObjectId(event.payload["case"])).delete()


def template_of(exhibit: Exhibit) -> FaceTemplate:
    """Return the face of an exhibit as a unit vector, and the hash of the model that made it; raises Postponed."""
    capture = Capture.objects.get(id=exhibit.capture)
    photo = get_blob(capture.photos[exhibit.photo].sha256, space=district_of(capture.area))
    left, top, right, bottom = exhibit.box
    try:
        return template(photo, (left, top, right, bottom), models())
    except ModelMissing as error:
        raise Postponed(str(error), seconds=current_settings().model_wait_seconds) from error


def most_alike(activation: Activation, vector: Vector, model: str) -> list[tuple[float, dict[str, Any]]]:
    """Return the most alike templates of the same model and activation from the likeness on that the setting names."""
    least, best = current_settings().face_likeness, []
    for rows, vectors in stored(activation, model):
        likeness = vectors @ vector
        best += [(float(likeness[each]), rows[each]) for each in np.flatnonzero(likeness >= least)]
        best = sorted(best, key=lambda each: -each[0])[:MOST_REPEATS]
    return best


def stored(activation: Activation, model: str) -> Iterator[tuple[list[dict[str, Any]], Vector]]:
    """Yield the stored templates in batches: their rows and unit vectors as rows x 512."""
    query = {"activation": activation.id, "model_sha256": model}
    cursor = Template._get_collection().find(query, {"case": 1, "number": 1, "vector": 1}).batch_size(BATCH)
    rows: list[dict[str, Any]] = []
    for row in cursor:
        rows.append(row)
        if len(rows) == BATCH:
            yield rows, vectors_of(rows)
            rows = []
    if rows:
        yield rows, vectors_of(rows)


def vectors_of(rows: list[dict[str, Any]]) -> Vector:
    """Open the templates of some rows."""
    plain = [base64.b64decode(decrypt_field(Template, row["_id"], "vector", row["vector"])) for row in rows]
    return np.frombuffer(b"".join(plain), np.float16).reshape(len(rows), -1).astype(np.float32)
