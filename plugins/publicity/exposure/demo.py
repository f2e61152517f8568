"""Demo exposures: a few reports of the fictional district in each state, through the ways that people use."""

from __future__ import annotations

import io
import random

from PIL import Image, ImageDraw

from backend.plugin_api import DemoDistrict, find_place
from plugins.publicity.exposure.models import Exposure
from plugins.publicity.exposure.moderating import accept, reject
from plugins.publicity.exposure.reporting import Sender, report

#: Point, category, what is told, colour of the drawn bags, and what the moderator of the demo does.
TOLD = (
    ("T0003", "overflow", "早上七点桶就满了，袋子堆到路边，到九点还没有人来清。", "saddlebrown", "accept"),
    ("T0011", "on_ground", "投放点旁边一直有人把垃圾袋放在地上就走。", "dimgray", "accept"),
    ("T0020", "bulky", "一张旧沙发放在单元门口三天了，挡住了轮椅坡道。", "peru", ""),
    ("T0034", "mixed_collection", "收运车把绿桶和黑桶倒在一起装走了。", "darkgreen", ""),
    ("T0042", "nobody_there", "晚上六点半到七点半没有督导员。", "slategray", ""),
    ("T0057", "other", "测试一下能不能发。", "gray", "reject"),
)


def load_exposures(district: DemoDistrict) -> None:
    """Report, accept and refuse; run again it finds what is there."""
    chance = random.Random(district.seed)  # noqa: S311 - a fictional district, not a secret
    count = 0
    for number, (point, category, text, colour, verb) in enumerate(TOLD):
        if find_place(point) is None:
            continue
        told = {"category": category, "text": text, "point": point, "anonymous": number % 2 == 0}
        key = f"demo-{district.seed}-{number}"
        receipt = report(Sender(), told, [drawn(colour, chance)], key=key, counted=False)
        exposure = Exposure.objects(number=receipt["number"]).first()
        if exposure.state == "received" and verb == "accept":
            accept(district.by, exposure)
        elif exposure.state == "received" and verb == "reject":
            reject(district.by, exposure, "与垃圾分类无关。")
        count += 1
    district.tell(f"监督曝光：{count}")


def drawn(colour: str, chance: random.Random) -> bytes:
    """Return a drawing of a bin with bags beside it: no person, no place that exists."""
    picture = Image.new("RGB", (960, 720), "#c9d3d8")
    draw = ImageDraw.Draw(picture)
    draw.rectangle((0, 480, 960, 720), fill="#8d9499")
    draw.rectangle((330, 220, 560, 600), fill="#2c5f3f")
    draw.rectangle((310, 190, 580, 235), fill="#1f4a30")
    for _ in range(7):
        left, top = chance.randrange(180, 700), chance.randrange(430, 600)
        draw.ellipse((left, top, left + 110, top + 90), fill=colour, outline="#222")
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=80)
    return out.getvalue()
