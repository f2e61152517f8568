"""What may stand against a step with an order."""

from __future__ import annotations

from backend.plugin_api import ProblemCode

PROBLEMS = (
    ProblemCode("order_taken", 409, "已被他人接单", "这个派单已由他人办理。"),
    ProblemCode("not_your_order", 403, "不是派给您的", "这个派单没有派给您、您所在的单位或您的岗位。"),
    ProblemCode("own_work", 403, "不能核查自己的处置", "处置和核查须由不同的人进行。"),
    ProblemCode("no_handler", 422, "没有处置对象", "没有适用的派单规则，请选择派给谁。"),
    ProblemCode("reason_missing", 422, "须说明原因", "请填写原因。"),
    ProblemCode("proof_missing", 422, "回单材料不全", "回单缺少该类型所需的材料。"),
    ProblemCode("too_far_away", 422, "不在现场", "回单定位离派单地点太远。"),
    ProblemCode("extension_pending", 409, "延期待审批", "已有一个延期申请等待审批。"),
)
