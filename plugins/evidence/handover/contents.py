"""What goes into a package: which files of a case, under which names. Everything here is read, nothing is made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from bson import ObjectId

from backend.plugin_api import area_names, district_of, open_blob
from plugins.evidence.captures.models import EXHIBIT_KINDS, Capture, Exhibit, Photo
from plugins.evidence.cases.bundling import captures_of
from plugins.evidence.cases.models import Case
from plugins.evidence.concerned.models import Defence
from plugins.evidence.handover.models import HandOver
from plugins.evidence.handover.package import Item

ENDINGS = {"image/jpeg": "jpg", "image/png": "png", "image/webp": "webp", "video/mp4": "mp4"}
#: Sorted as they are laid into the package and shown in the report.
KINDS = ("subject_copy", "masked_copy", "face", "object")


@dataclass(frozen=True)
class Contents:
    """The case as it is handed over, with its files; `exhibits` are those of `items` that are one, by their path."""

    hand_over: HandOver
    case: Case
    captures: Sequence[Capture]
    defences: Sequence[Defence]
    items: Sequence[Item]
    exhibits: Mapping[str, Exhibit]
    areas: tuple[str, ...]

    def paths_of(self, capture: Capture) -> list[str]:
        """Return the paths of a capture's originals."""
        start = f"originals/{place_of(self.captures.index(capture))}-"
        return [item.path for item in self.items if item.path.startswith(start)]

    def path_of(self, exhibit_id: ObjectId | None) -> str:
        """Return the path of an exhibit, or nothing when it is not in the package."""
        return next((path for path, exhibit in self.exhibits.items() if exhibit.id == exhibit_id), "")


def contents_of(hand_over: HandOver, case: Case) -> Contents:
    """Return all that goes into the package of a case but what is made for it."""
    captures, space = captures_of(case), district_of(case.area)
    chosen = chosen_exhibits(case, captures)
    originals: list[Item] = []
    derived: list[Item] = []
    exhibits: dict[str, Exhibit] = {}
    for number, capture in enumerate(captures):
        clip = f"originals/{place_of(number)}-clip.mp4"
        if capture.clip is not None:
            title = f"第 {number + 1} 次取证视频"
            originals.append(stored(capture.clip, clip, "original", title, space))
        for at, photo in enumerate(capture.photos):
            item = photo_item(photo, number, at, clip, space)
            (originals if item.role == "original" else derived).append(item)
            for exhibit in chosen.get((capture.id, at), ()):
                made = exhibit_item(exhibit, number, item, space)
                exhibits[made.path] = exhibit
                derived.append(made)
    defences = list(Defence.objects(case=case.id).order_by("filed_at", "id"))
    said = [
        stored(
            photo, f"defences/d{number:02}-p{at:02}.{ending(photo)}", "defence", f"第 {number} 次申辩照片 {at}", space
        )
        for number, defence in enumerate(defences, 1)
        for at, photo in enumerate(defence.photos, 1)
    ]
    return Contents(hand_over, case, captures, defences, originals + derived + said, exhibits, names_above(case.area))


def chosen_exhibits(case: Case, captures: Iterable[Capture]) -> dict[tuple[ObjectId, int], list[Exhibit]]:
    """Return the exhibits that may leave, by capture and photo: no bystander's face is among them.

    Those are copies with every face covered, copies and cut-outs of the person concerned, and cut-outs of objects on
    which no other face lies.
    """
    found: dict[tuple[ObjectId, int], list[Exhibit]] = {}
    for exhibit in Exhibit.objects(capture__in=[capture.id for capture in captures]).order_by("number"):
        found.setdefault((exhibit.capture, exhibit.photo), []).append(exhibit)
    return {
        place: sorted(
            (each for each in exhibits if may_leave(each, case, exhibits)), key=lambda each: KINDS.index(each.kind)
        )
        for place, exhibits in found.items()
    }


def may_leave(exhibit: Exhibit, case: Case, beside: Sequence[Exhibit]) -> bool:
    """Say whether an exhibit may go into the package; `beside` are all of the same photo."""
    if exhibit.kind == "face":
        return bool(exhibit.id == case.subject)
    if exhibit.kind == "subject_copy":
        return bool(exhibit.subject == case.subject)
    if exhibit.kind == "object":
        others = [each for each in beside if each.kind == "face" and each.id != case.subject]
        return not any(touch(exhibit.box, each.box) for each in others)
    return bool(exhibit.kind == "masked_copy")


def touch(one: Sequence[float], other: Sequence[float]) -> bool:
    """Say whether two boxes (left, top, right, bottom) share anything; a box that is not known might."""
    if len(one) != 4 or len(other) != 4:
        return True
    return max(one[0], other[0]) < min(one[2], other[2]) and max(one[1], other[1]) < min(one[3], other[3])


def place_of(capture: int, photo: int | None = None) -> str:
    """Return how paths name a capture, and a photo of it: counted from 1."""
    return f"c{capture + 1:02}" if photo is None else f"c{capture + 1:02}-p{photo + 1:02}"


def photo_item(photo: Photo, capture: int, at: int, clip: str, space: str) -> Item:
    """Return an original photo, or a frame that was taken out of the clip, which is derived."""
    name = f"{place_of(capture, at)}.{ending(photo)}"
    title = f"第 {capture + 1} 次取证照片 {at + 1}"
    if photo.frame_at is None:
        more = {"before": True} if photo.before else {}
        return stored(
            photo, f"originals/{name}", "original", f"{title}（事前）" if photo.before else title, space, **more
        )
    made = {"derived_from": clip, "made_by": dict(photo.made_by), "frame_at": photo.frame_at, "kind": "frame"}
    return stored(photo, f"exhibits/{name}", "exhibit", f"{title}（视频第 {photo.frame_at:.1f} 秒）", space, **made)


def exhibit_item(exhibit: Exhibit, capture: int, original: Item, space: str) -> Item:
    """Return an exhibit, with the photo that it was made of and what made it."""
    name = f"{place_of(capture, exhibit.photo)}-{exhibit.kind.replace('_', '-')}{exhibit.number}.{ending(exhibit)}"
    words = f"{original.title}：{EXHIBIT_KINDS[exhibit.kind]}"
    names = ("label", "score", "source")
    told: dict[str, Any] = {name: exhibit[name] for name in names if exhibit[name] is not None}
    if exhibit.box:
        told["box"] = list(exhibit.box)
    made = {"derived_from": original.path, "made_by": dict(exhibit.made_by), "kind": exhibit.kind}
    return stored(exhibit, f"exhibits/{name}", "exhibit", words, space, **made, **told)


def stored(kept: Any, path: str, role: str, title: str, space: str, **more: Any) -> Item:
    """Return a file that lies in the blob store: a photo, clip, exhibit or photo of a defence as its record has it."""
    return Item(
        path=path,
        role=role,
        title=title,
        media_type=kept.media_type,
        sha256=kept.sha256,
        sm3=kept.sm3,
        read=partial(open_blob, kept.sha256, space=space),
        more=more,
    )


def ending(kept: Any) -> str:
    """Return the ending of a file's name."""
    return ENDINGS.get(kept.media_type, "bin")


def names_above(area: str) -> tuple[str, ...]:
    """Return the names of an area and of those above it, the district first."""
    codes = area.split("/")
    paths = ["/".join(codes[: depth + 1]) for depth in range(len(codes))]
    names = area_names(paths)
    return tuple(names.get(path, path) for path in paths)
