"""Demo assessments: what staff saw on their rounds through the compounds, entered as they would, and some appeals."""

from __future__ import annotations

import dataclasses
import io
import random
from datetime import timedelta

from bson import ObjectId
from PIL import Image, ImageDraw

from backend.plugin_api import DemoDistrict, Principal, find_compound, utcnow
from plugins.ranking.appeals.deciding import decide
from plugins.ranking.appeals.filing import file_appeal
from plugins.ranking.appeals.models import Appeal
from plugins.ranking.ledger.entering import LATEST, enter
from plugins.ranking.ledger.models import Charge

#: Rules that staff enter by, how often, and what they write.
SEEN = {
    "M01": (3, "公示栏未更新，定时定点时间表缺失。"),
    "M02": (4, "其他垃圾桶标识脱落，投放口无分类提示。"),
    "M03": (6, "桶站周边有散落垃圾，桶盖未及时关闭。"),
    "M04": (5, "开袋抽查十袋，三袋易腐垃圾中混有塑料袋。"),
    "M05": (3, "装修垃圾未围挡，与大件垃圾混堆。"),
    "M06": (2, "督导员签到台账缺三天记录。"),
    "M09": (1, "设立厨余堆肥角，居民参与率高。"),
}
COUNT, PICTURES = 60, 4
REASONS = ("当日下午已整改完毕，附整改后照片。", "问题点位属于相邻商铺，不在本小区管理范围。")


def load_assessments(district: DemoDistrict) -> None:
    """Enter a month of points and appeals; run again it finds what is there."""
    chance = random.Random(district.seed)  # noqa: S311 - a fictional district, not a secret
    compounds = [
        found for each in district.of_level("compound") if (found := find_compound(each.path.rpartition("/")[2]))
    ]
    pictures = [drawn(chance) for _ in range(PICTURES)]
    now = utcnow()
    if not compounds:
        return
    # One company, the first, is looked at more often: it is the one that the account of the demo belongs to.
    first = min((each.organisation for each in compounds if each.organisation), default=None)
    watched = [each for each in compounds if each.organisation == first]
    charges = []
    for number in range(COUNT):
        [rule] = chance.choices(list(SEEN), [often for often, _ in SEEN.values()])
        values = {
            "compound": chance.choice((watched if number % 5 == 0 else None) or compounds).code,
            "rule": rule,
            "reason": SEEN[rule][1],
            "occurred_at": now - timedelta(hours=chance.randrange(2, LATEST.days * 24 - 24)),
        }
        # Of each person's entries the numbers are the same again, so nothing is entered twice.
        key = f"demo-{district.seed}-{number}"
        charges.append(enter(as_person(district.by, "巡查员", 1), values, [chance.choice(pictures)], key))
    for number, charge in enumerate([each for each in charges if each.points < 0][:6]):
        # What was entered after it may have taken its share of a cap.
        appeal(district.by, Charge.objects.get(id=charge.id), REASONS[number % 2], pictures[0], number)
    district.tell(f"小区考核：{len(charges)}")


def appeal(by: Principal, charge: Charge, reason: str, photo: bytes, number: int) -> None:
    """File an appeal, and let two of three be decided."""
    if Appeal.objects(id=charge.id).first() is not None or charge.net >= 0:
        return
    filed = file_appeal(as_person(by, "物业经理", 2), charge, reason, [photo])
    if number % 3 < 2:
        verb, why = ("uphold", "已及时整改，予以冲销。") if number % 3 else ("refuse", "事实清楚，维持扣分。")
        decide(as_person(by, "街道审核员", 3), filed, verb, why)


def as_person(by: Principal, name: str, number: int) -> Principal:
    """Return somebody who acts in the demo; always the same for a number."""
    return dataclasses.replace(by, id=ObjectId(f"{number:024x}"), name=name)


def drawn(chance: random.Random) -> bytes:
    """Return a drawing of bins with something beside them: no person, no place that exists."""
    picture = Image.new("RGB", (640, 480), "#c4ccd4")
    draw = ImageDraw.Draw(picture)
    draw.rectangle((0, 330, 640, 480), fill="#8b949c")
    for n, colour in enumerate(("#2b6cb0", "#2f855a", "#4a5568")):
        left = 90 + n * 160
        draw.rounded_rectangle((left, 170, left + 120, 345), 12, fill=colour)
        draw.rounded_rectangle((left - 6, 150, left + 126, 180), 8, fill="#2d3748")
    for _ in range(chance.randrange(3, 9)):
        x, y, size = chance.randrange(30, 590), chance.randrange(350, 450), chance.randrange(20, 46)
        draw.ellipse((x, y - size, x + size, y), fill=chance.choice(("#1a202c", "#edf2f7", "#975a16")))
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=80)
    return file.getvalue()
