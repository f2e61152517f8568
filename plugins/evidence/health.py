"""What the health page asks of evidence."""

from __future__ import annotations

from backend.plugin_api import Health, HealthCheck, current_settings, utcnow
from plugins.evidence.captures.models import CAPTURE_FLOW, Capture
from plugins.evidence.custody.standing import ledger_whole
from plugins.evidence.handover.typeface import ReportUnavailable, typeface
from plugins.evidence.vision import ModelMissing, check_models, decoder_version, ffmpeg_path


def models_there() -> Health:
    """Look whether the configured models are there; without them captures wait."""
    chosen = current_settings()
    try:
        check_models(chosen.face_models, chosen.object_model, chosen.object_labels)
    except ModelMissing as error:
        return Health("fail", f"{error} 新的取证照片已保存，模型就绪后自动处理。")
    if not chosen.object_model:
        return Health("warn", "没有配置物品检测模型，只提取人脸和平台给出的区域。")
    return Health("ok", "人脸和物品检测模型已就绪。")


def clips_decodable() -> Health:
    """Look whether there is an ffmpeg that runs; without it clips wait and photos do not."""
    try:
        version = decoder_version(ffmpeg_path(current_settings().ffmpeg))
    except ModelMissing as error:
        return Health("warn", f"{error} 照片照常处理；带视频的取证已保存，ffmpeg 就绪后自动处理。")
    return Health("ok", f"视频解码组件 ffmpeg {version} 已就绪。")


def captures_on_time() -> Health:
    """Count the captures that wait longer than they should."""
    late = CAPTURE_FLOW.overdue(Capture, utcnow()).limit(1000).count(with_limit_and_skip=True)
    if late:
        return Health("warn", f"{late} 条取证照片等待提取已超过 10 分钟，请检查视觉任务进程。")
    return Health("ok", "没有积压。")


def report_ready() -> Health:
    """Look whether the report of a hand-over can be set: the tool and a Chinese font are there."""
    try:
        typeface(current_settings().report_font)
    except ReportUnavailable as error:
        return Health("warn", f"无法生成移送报告：{error.detail}")
    return Health("ok", "移送报告所需的组件和字体已就绪。")


CHECKS = [
    HealthCheck(name="evidence.ledger", title="存证链", run=ledger_whole),
    HealthCheck(name="evidence.models", title="视觉模型", run=models_there),
    HealthCheck(name="evidence.clips", title="视频解码", run=clips_decodable),
    HealthCheck(name="evidence.backlog", title="取证积压", run=captures_on_time),
    HealthCheck(name="evidence.report", title="移送报告", run=report_ready),
]
