"""What goes in and out of the registers; labels are the columns of spreadsheets too."""

from __future__ import annotations

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
    installed_on = fields.String(
        validate=validate.Regexp(
            r"^20[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])\Z", error="日期格式为 2026-11-22。"
        ),
        metadata={"label": "安装日期", "example": "2026-03-01"},
    )
