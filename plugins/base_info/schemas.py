"""What goes in and out of the registers; labels are the columns of spreadsheets too."""

from __future__ import annotations

import re

from marshmallow import ValidationError, fields, validate
from stdnum.cn import uscc

from backend.plugin_api import AreaCode, Choice, Choices, Code, Latitude, Longitude, Phone, Private, RecordSchema, Text
from plugins.base_info.models import DEVICE_KINDS, DEVICE_STATES, STREAMS


class ContactSchema(RecordSchema):
    """Who to call, at every register."""

    contact_name = Private("联系人", mask="name", longest=30, example="王芳")
    contact_phone = Phone("联系电话")
    note = Text("备注", longest=500)


class CreditCode(Text):
    """A unified social credit code (统一社会信用代码), checked by its check digit."""

    def _deserialize(self, value, attr, data, **kwargs):  # type: ignore[no-untyped-def]
        text = super()._deserialize(value, attr, data, **kwargs).upper()
        if text and not uscc.is_valid(text):
            raise ValidationError("不是有效的统一社会信用代码。")
        return text


class PropertyCompanySchema(ContactSchema):
    """A property company."""

    code = Code("物业编码", required=True, example="P001")
    name = Text("物业名称", required=True, example="清和物业服务有限公司")
    area_code = AreaCode("所属区域编码", required=True, example="339999")
    credit_code = CreditCode("统一社会信用代码", longest=18)
    address = Text("地址", longest=200)


class CompoundSchema(ContactSchema):
    """A compound."""

    code = Code("小区编码", required=True, example="C00042")
    name = Text("小区名称", required=True, example="阳光花园")
    area_code = AreaCode("所属社区编码", required=True, example="339999001001")
    address = Text("地址", longest=200, example="文澜路 8 号")
    longitude = Longitude()
    latitude = Latitude()
    property_company = Code("物业编码", example="P001")
    households = fields.Integer(strict=False, validate=validate.Range(0, 100_000), metadata={"label": "户数"})
    residents = fields.Integer(strict=False, validate=validate.Range(0, 500_000), metadata={"label": "常住人口"})


class DropOffPointSchema(ContactSchema):
    """A drop-off point."""

    code = Code("投放点编码", required=True, example="T0001")
    name = Text("投放点名称", required=True, example="阳光花园 1 号投放点")
    area_code = AreaCode("所属小区编码", required=True, example="C00042")
    address = Text("位置", longest=200)
    longitude = Longitude()
    latitude = Latitude()
    property_company = Code("物业编码", example="P001")
    streams = Choices("类别", STREAMS)
    opening_hours = Text("开放时间", example="6:30-8:30，18:00-20:30")


class StationSchema(ContactSchema):
    """A station."""

    code = Code("集置点编码", required=True, example="Z0001")
    name = Text("集置点名称", required=True, example="清和社区 1 号垃圾房")
    area_code = AreaCode("所属社区或小区编码", required=True, example="339999001001")
    address = Text("位置", longest=200)
    longitude = Longitude()
    latitude = Latitude()
    property_company = Code("物业编码", example="P001")
    capacity_kg = fields.Float(validate=validate.Range(0, 1_000_000), metadata={"label": "容量（千克）"})


class Day(Text):
    """A day, written 2026-11-22."""

    def __init__(self, label: str) -> None:
        day = r"^20[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])\Z"
        check = validate.Regexp(day, error="日期格式为 2026-11-22。")
        super().__init__(label, longest=10, example="2026-03-01", validate=[check])


class Link(Text):
    """An address in the web."""

    def _deserialize(self, value, attr, data, **kwargs):  # type: ignore[no-untyped-def]
        text = super()._deserialize(value, attr, data, **kwargs)
        if text and not re.fullmatch(r"https?://[^\s/]+\S*", text):
            raise ValidationError("请填写以 http:// 或 https:// 开头的网址。")
        return text


class DeviceSchema(ContactSchema):
    """A device; its signing key is issued apart and never shown again."""

    code = Code("设备编码", required=True, example="D0001")
    name = Text("设备名称", required=True, example="阳光花园 1 号投放点监控")
    kind = Choice("设备类型", DEVICE_KINDS, required=True)
    model = Text("型号", example="DS-2CD3T46")
    state = Choice("运行状态", DEVICE_STATES, load_default="running")
    point = Code("所在投放点或集置点编码", example="T0001")
    area_code = AreaCode("所属社区或小区编码", example="C00042")
    address = Text("位置", longest=200)
    longitude = Longitude()
    latitude = Latitude()
    installed_on = Day("安装日期")
    review_document = Text("法制审核文号", example="清法审〔2026〕12 号")
    reviewed_on = Day("审核日期")
    standard = Text("执行标准", example="GB/T 28181-2022")
    publication = Link("设置地点公布网址", longest=300, example="https://www.example.gov.cn/cameras")
    sign_photo = fields.String(dump_only=True, metadata={"label": "提示标志照片（SHA-256）"})
