"""The names that evidence adds to the platform: permissions, problem codes and events, with their Chinese words."""

from __future__ import annotations

from backend.plugin_api import EventKind, Permission, ProblemCode

OFFICES = ("district_staff", "street_staff", "community_staff", "supervisor", "property_staff")

PERMISSIONS = [
    Permission("evidence:view", "查看取证记录（已脱敏）", (*OFFICES, "enforcement_officer")),
    Permission("evidence:view_unmasked", "查看原始照片和人脸", ("enforcement_officer",)),
    Permission("evidence:edit", "重新提取", ("district_staff", "enforcement_officer")),
    Permission("evidence:report", "上报违规", (*OFFICES, "enforcement_officer", "resident", "volunteer")),
    Permission("evidence:custodian", "保管举报人身份"),
    Permission("evidence:review", "复核案件", ("district_staff", "street_staff")),
    Permission("evidence:countersign", "会签案件", ("district_staff", "enforcement_officer")),
    Permission("evidence:audit_ledger", "查看和校验存证链", ("district_staff", "enforcement_officer")),
    Permission("evidence:hand_over", "移送执法", ("district_staff", "enforcement_officer")),
    Permission("evidence:receive", "签收移送", ("enforcement_officer",)),
    Permission("evidence:matching", "启用和停用人脸比对"),
    Permission("evidence:hold", "证据保全", ("district_staff", "enforcement_officer")),
]

PROBLEM_CODES = [
    ProblemCode("device_not_recognised", 401, "设备未通过验证", "设备未登记、已停用或签名不正确。"),
    ProblemCode("purpose_required", 422, "须填写查看原因", "查看未脱敏的图片须填写原因，并会被记录。"),
    ProblemCode("device_time_in_future", 422, "设备时间有误", "设备时间晚于当前时间，请校准设备时钟。"),
    ProblemCode("device_time_too_old", 422, "设备时间有误", "观察时间超过 30 天，不能再作为取证接收。"),
    ProblemCode("unknown_point", 422, "点位不存在", "没有这个投放点或集置点，请检查设备所在点位。"),
    ProblemCode("evidence_deleted", 410, "证据已删除", "保存期限已到，证据已按规定销毁。"),
    ProblemCode("notice_not_due", 409, "还不能告知", "案件经人工复核确认后才能告知当事人。"),
    ProblemCode("notice_not_issued", 409, "尚未出具告知书", "案件还没有出具告知书，请先在案件复核页面出具。"),
    ProblemCode("notice_code_wrong", 404, "告知码不正确", "告知码不正确或已失效，请对照告知书重新输入。"),
    ProblemCode("notice_visit_over", 401, "须重新输入告知码", "查看时间已过，请重新输入告知码。"),
    ProblemCode(
        "defence_closed", 409, "不能再提出申辩", "网上申辩的期限已过或案件已办结，请带上告知书到所在街道当面提出。"
    ),
    ProblemCode("reason_required", 422, "须填写原因", "请填写原因。"),
    ProblemCode("same_person", 403, "不能会签自己的建议", "处罚建议须由另一人会签。"),
    ProblemCode("legal_record_incomplete", 422, "法定资料不全", "取证设备的法定资料不全，只能作为线索。"),
    ProblemCode("site_visit_required", 422, "须现场核实", "居民或现场人员上报的，须填写现场核实情况后才能建议处罚。"),
    ProblemCode("no_point_near", 422, "附近没有点位", "200 米内没有投放点或集置点，请选择点位。"),
    ProblemCode("unreadable_clip", 422, "视频无法读取", "文件不是完整的 MP4 视频。"),
    ProblemCode("clip_too_long", 422, "视频过长", "视频过长，请截取后重新上传。"),
    ProblemCode("clip_too_large", 422, "视频过大", "视频文件或画面过大。"),
    ProblemCode("no_reporter", 409, "没有举报人", "这条记录不是居民举报，或举报人信息已销毁。"),
    ProblemCode("not_penalty_evidence", 422, "不能作为处罚证据移送", "作为处罚证据尚有欠缺，可以先作为案件线索移送。"),
    ProblemCode("package_not_ready", 409, "移送包尚未就绪", "移送包正在制作或制作失败，请稍后查看移送记录。"),
    ProblemCode("matching_on", 409, "人脸比对已启用", "该区域或其上级区域已启用人脸比对。"),
    ProblemCode("event_id_reused", 409, "事件编号重复", "这个 event_id 已用于另一组照片，请换一个。"),
]

EVENTS = [
    EventKind(name="evidence.captured", title="收到取证照片", payload="capture"),
    EventKind(name="evidence.extracted", title="取证提取完成", payload="capture, faces, objects, labels"),
    EventKind(name="evidence.extraction_failed", title="取证提取失败", payload="capture"),
    EventKind(name="evidence.region_drawn", title="人工框选", payload="capture, exhibit, photo, kind, box, label, by"),
    EventKind(name="evidence.case_opened", title="案件立案", payload="case, number, violation, captures"),
    EventKind(name="evidence.subject_chosen", title="选定案件当事人", payload="case, subject, waste"),
    EventKind(name="evidence.case_confirmed", title="案件确认", payload="case, number, violation, penalty, captures"),
    EventKind(name="evidence.case_handed_over", title="案件移送", payload="case, number, kind, hand_over"),
    EventKind(name="evidence.case_received", title="案件签收", payload="case, number, hand_over"),
    EventKind(name="evidence.package_wanted", title="须制作移送包", payload="hand_over"),
    EventKind(name="evidence.package_made", title="移送包已制作", payload="hand_over, case"),
    EventKind(name="evidence.defence_filed", title="当事人提出申辩", payload="case, number, defence"),
    EventKind(name="evidence.defence_answered", title="申辩已答复", payload="case, number, defence, upheld"),
    EventKind(name="evidence.case_rejected", title="案件排除", payload="case, number, violation, penalty, captures"),
    EventKind(
        name="evidence.case_reopened", title="案件重新复核", payload="case, number, violation, penalty, captures"
    ),
]
