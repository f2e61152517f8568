"""Photos that other modules publish: what everybody may see shows nobody, and what cannot be masked is not shown."""

from __future__ import annotations

import io

import cv2
import numpy as np
import pytest
from PIL import Image

from backend.blobs import get, put
from backend.plugin_api import mask_photo
from plugins.evidence.vision import models
from plugins.publicity.exposure.models import Exposure
from tests.district import DISTRICT, EAST, District
from tests.evidence.conftest import Camera
from tests.publicity.conftest import change, handled, judge
from tests.vision import weights


def faces_on(picture: bytes) -> int:
    """Return how many faces the detector is sure of."""
    pixels = cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_COLOR)
    return sum(face.score >= 0.5 for face in models().faces.find(pixels))


def test_a_residents_photo_of_people_is_public_without_their_faces(camera: Camera, with_models: None) -> None:
    change(anonymous_exposure=True)
    moderator = camera.district.sign_in("street_staff", EAST)
    exposure, _code = handled(camera.district, moderator, weights.six_people())
    assert exposure.photos[0].faces == 6 and exposure.photos[0].made_by["model"] == "scrfd_500m_bnkps.onnx"
    answer = judge(moderator, exposure, "publish", text="桶满已清运，加密收运一次。", photos=[0], checked=True)
    assert answer.status_code == 200, answer.text
    [shown] = camera.district.anyone("GET", "/api/v1/public-exposures").json["items"]
    assert (shown["id"], shown["photos"]) == (str(exposure.id), [0])
    photo = camera.district.anyone("GET", f"/api/v1/public-exposures/{exposure.id}/photos/0")
    assert photo.status_code == 200 and faces_on(photo.data) == 0
    original = get(exposure.photos[0].sha256, space=DISTRICT)
    assert faces_on(original) == 6
    public, whole = (
        np.asarray(Image.open(io.BytesIO(each)).convert("RGB")).astype(int) for each in (photo.data, original)
    )
    assert np.abs(public[700:] - whole[700:]).mean() < 8  # what is no face is still the photo


def test_without_models_nothing_is_masked_and_nothing_published(camera: Camera) -> None:
    change(anonymous_exposure=True)
    moderator = camera.district.sign_in("street_staff", EAST)
    exposure, _code = handled(camera.district, moderator, weights.six_people())
    assert exposure.photos[0].masked is None
    answer = judge(moderator, exposure, "publish", text="桶满已清运，加密收运一次。", photos=[0], checked=True)
    assert answer.json["code"] == "photo_not_masked"
    assert camera.district.anyone("GET", "/api/v1/public-exposures").json["items"] == []
    assert Exposure.objects.get(id=exposure.id).published_at is None


@pytest.mark.parametrize("content", [b"no photo at all", b"\xff\xd8\xff\xe0" + bytes(100)])
def test_what_cannot_be_read_has_no_masked_copy(district: District, with_models: None, content: bytes) -> None:
    kept = put(content, media_type="image/jpeg", space=DISTRICT)
    assert mask_photo(kept.sha256, DISTRICT) is None
