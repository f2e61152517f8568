"""The health report as the API tells it."""

from __future__ import annotations

from marshmallow import Schema, fields


class PluginFaultSchema(Schema):
    """Errors of a plugin at one place."""

    where = fields.String(required=True, metadata={"description": "出错的位置"})
    count = fields.Integer(required=True, metadata={"description": "累计次数"})
    last_error = fields.String(required=True, metadata={"description": "最近一次的错误，已去除隐私信息"})
    last_at = fields.AwareDateTime(required=True, metadata={"description": "最近一次的时间"})


class PluginSchema(Schema):
    """One plugin and what became of it."""

    name = fields.String(required=True)
    title = fields.String(required=True)
    version = fields.String(required=True)
    state = fields.String(required=True, metadata={"description": "loaded、broken、refused 或 disabled"})
    reason = fields.String(required=True, metadata={"description": "没有加载的原因"})
    reason_en = fields.String(required=True, metadata={"description": "英文原因，供厂商查看"})
    external = fields.Boolean(required=True, metadata={"description": "是否为另行安装的插件"})
    source = fields.String(required=True, metadata={"description": "来源"})
    notes = fields.List(fields.String(), required=True, metadata={"description": "需要注意的情况"})
    faults = fields.List(fields.Nested(PluginFaultSchema), required=True)


class CheckSchema(Schema):
    """One check and its answer."""

    name = fields.String(required=True)
    title = fields.String(required=True)
    state = fields.String(required=True, metadata={"description": "ok、warn 或 fail"})
    detail = fields.String(required=True)
    seconds = fields.Float(required=True)


class QueueSchema(Schema):
    """One queue."""

    name = fields.String(required=True)
    waiting = fields.Integer(required=True, metadata={"description": "等待的任务数"})
    workers = fields.Integer(required=True, metadata={"description": "后台进程数"})


class DeadDeliverySchema(Schema):
    """A delivery that failed for good."""

    event_id = fields.String(required=True)
    event = fields.String(required=True)
    handler = fields.String(required=True)
    attempts = fields.Integer(required=True)
    error = fields.String(required=True)
    ended_at = fields.AwareDateTime(required=True, allow_none=True)


class DeadJobSchema(Schema):
    """A job that failed for good."""

    id = fields.String(required=True)
    job = fields.String(required=True)
    attempts = fields.Integer(required=True)
    error = fields.String(required=True)
    ended_at = fields.AwareDateTime(required=True, allow_none=True)


class HealthReportSchema(Schema):
    """How the platform is."""

    state = fields.String(required=True, metadata={"description": "总体状况：ok、warn 或 fail"})
    platform_version = fields.String(required=True)
    store = fields.String(required=True, metadata={"description": "数据库及版本"})
    at = fields.AwareDateTime(required=True)
    plugins = fields.List(fields.Nested(PluginSchema), required=True)
    checks = fields.List(fields.Nested(CheckSchema), required=True)
    queues = fields.List(fields.Nested(QueueSchema), required=True)
    dead_deliveries = fields.List(fields.Nested(DeadDeliverySchema), required=True)
    dead_jobs = fields.List(fields.Nested(DeadJobSchema), required=True)
