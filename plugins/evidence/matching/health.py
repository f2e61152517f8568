"""What the health page asks of face comparison."""

from __future__ import annotations

from backend.plugin_api import Health, HealthCheck, current_settings
from plugins.evidence.matching.activation import MOST_TEMPLATES
from plugins.evidence.matching.models import Template


def few_enough() -> Health:
    """Warn long before there are so many templates that the law asks for a filing."""
    count = Template._get_collection().estimated_document_count()
    if count >= MOST_TEMPLATES:
        return Health("fail", f"已存 {count} 个人脸模板，达到法定备案数量，不再存入新的模板。")
    if count >= current_settings().face_templates_warning:
        return Health(
            "warn", f"已存 {count} 个人脸模板，达到 {MOST_TEMPLATES} 个须在 30 个工作日内向省级网信部门备案。"
        )
    return Health("ok", f"已存 {count} 个人脸模板。")


CHECKS = [HealthCheck(name="evidence.face_templates", title="人脸模板数量", run=few_enough)]
