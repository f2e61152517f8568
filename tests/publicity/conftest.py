"""A small district where people report, moderators judge, and a module of the tests takes alerts and masks faces."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from PIL import Image

from backend import settings as settings_module
from backend.events import deliver_due
from backend.jobs import run_worker
from backend.plugin_api import AlertFacts, AlertReport, MaskedPhoto, atomically, get_blob, publish
from plugins.publicity.exposure.models import Exposure
from tests.district import EAST, Caller, District

API = "/api/v1/exposures"
TEXT = "垃圾桶满了两天没有人来清，袋子堆到路上。"
#: Latitude of a photo as phones write it into EXIF; its bytes are looked for in copies.
SECRET_MAKE = "PhoneOfReporter"


def picture(colour: str = "teal", *, size: tuple[int, int] = (640, 480)) -> bytes:
    """Return a photo with the metadata that phones put in."""
    exif = Image.Exif()
    exif[0x010F] = SECRET_MAKE
    exif[0x0112] = 6
    exif.get_ifd(0x8825)[1] = "N"
    out = io.BytesIO()
    Image.new("RGB", size, colour).save(out, "JPEG", exif=exif, comment=b"by " + SECRET_MAKE.encode())
    return out.getvalue()


@dataclass
class Others:
    """What other modules would do: alerts by the number at their source, and masked photos."""

    reports: list[AlertReport] = field(default_factory=list)
    alerts: dict[str, AlertFacts] = field(default_factory=dict)
    takes_alerts: bool = True
    masks: bool = True

    def raise_alert(self, report: AlertReport) -> AlertFacts | None:
        """Take in an alert once for each number."""
        if not self.takes_alerts:
            return None
        self.reports.append(report)
        number = len(self.alerts) + 1
        facts = {"kind": report.kind, "title": "满溢", "state": "raised", "area": report.area}
        fresh = AlertFacts(id=f"alert-{number}", number=f"YJ{number:04d}", new=True, **facts)
        return self.alerts.setdefault(report.event_id, fresh)

    def mask_photo(self, sha256: str, space: str) -> MaskedPhoto | None:
        """Give the photo back in grey: told from any other by its pixels."""
        if not self.masks:
            return None
        out = io.BytesIO()
        Image.open(io.BytesIO(get_blob(sha256, space=space))).convert("L").convert("RGB").save(out, "JPEG")
        return MaskedPhoto(content=out.getvalue(), media_type="image/jpeg", faces=1, made_by={"detector": "test"})


@pytest.fixture
def others(monkeypatch: pytest.MonkeyPatch) -> Others:
    """Stand for the modules of alerts and of vision."""
    stand_in = Others()
    monkeypatch.setattr("plugins.publicity.exposure.following.raise_alert", stand_in.raise_alert)
    monkeypatch.setattr("plugins.publicity.exposure.pictures.mask_photo", stand_in.mask_photo)
    return stand_in


@pytest.fixture
def open_to_all(district: District) -> Iterator[None]:
    """Let people report without a login, as often as tests want."""
    change(anonymous_exposure=True, exposure_rate="1000/day", receipt_rate="1000/minute")
    yield


def change(**values: Any) -> None:
    """Change settings of this process; the next district has those of the tests again."""
    settings_module.configure(dataclasses.replace(settings_module.current(), **values))


@pytest.fixture
def town(district: District, others: Others, open_to_all: None) -> District:
    """Furnish the district with a drop-off point."""
    district.furnish(district.sign_in())
    return district


@pytest.fixture
def moderator(town: District) -> Caller:
    """Return somebody who judges."""
    return town.sign_in("street_staff", EAST)


def form(*photos: bytes, **values: Any) -> dict[str, Any]:
    """Return a report as a form."""
    told = {"category": "overflow", "text": TEXT, "point": "T1", **values}
    return {**told, "photos": [(io.BytesIO(photo), f"{n}.jpg") for n, photo in enumerate(photos)]}


def send(town: District, *photos: bytes, by: Caller | None = None, key: str = "", **values: Any) -> Any:
    """Report, with or without a login; returns the answer."""
    headers = {"Idempotency-Key": key} if key else {}
    ask = by.call if by else town.anyone
    return ask("POST", API, data=form(*photos, **values), headers=headers)


def sent(town: District, *photos: bytes, **values: Any) -> tuple[Exposure, str]:
    """Report and return the exposure and the receipt code."""
    answer = send(town, *photos, **values)
    assert answer.status_code == 201, answer.text
    return Exposure.objects.get(number=answer.json["number"]), answer.json["code"]


def follow(town: District, code: str, tail: str = "", **values: Any) -> Any:
    """Ask with a receipt code."""
    return town.anyone("POST", f"/api/v1/exposure-receipts{tail}", json={"code": code, **values})


def judge(moderator: Caller, exposure: Exposure, verb: str, **values: Any) -> Any:
    """Let the moderator act on an exposure as it is now."""
    now = moderator.get(f"{API}/{exposure.id}")
    options = {"json": values} if values else {}
    return moderator.call("POST", f"{API}/{exposure.id}/{verb}", etag=now["etag"], **options)


def work(*queues: str) -> None:
    """Do all that waits."""
    for _ in range(3):
        deliver_due()
        run_worker(list(queues or ("default", "vision")), burst=True)


def happened(name: str, area: str, **payload: Any) -> None:
    """Let another module tell of something, and everybody hear it."""
    atomically(lambda: publish(name, payload, area=area))
    work()


def handled(town: District, moderator: Caller, *photos: bytes, **values: Any) -> tuple[Exposure, str]:
    """Take an exposure all the way to its end."""
    exposure, code = sent(town, *photos, **values)
    work()
    assert judge(moderator, exposure, "accept").status_code == 200
    work()
    alert = Exposure.objects.get(id=exposure.id).alert
    happened("work_order.closed", exposure.area, alert=alert, order="o1", number="PD1", result="closed")
    return Exposure.objects.get(id=exposure.id), code
