"""Every error answer of the API: RFC 9457 problem details with a stable code and a Chinese sentence."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from flask import Response, g, has_request_context, json, request
from marshmallow import Schema, fields

MEDIA_TYPE = "application/problem+json"


@dataclass(frozen=True)
class ProblemCode:
    """One kind of error answer: stable code, HTTP status, Chinese title, and the sentence used when none is given."""

    code: str
    status: int
    title: str
    detail: str = ""


class Problem(Exception):
    """Answer the request with this problem: `raise Problem("stale_version")`.

    `fields` holds Chinese sentences by the path of the field, such as `{"address.street": ["必填"]}`.
    Raises LookupError when the code was never registered.
    """

    def __init__(
        self,
        code: str,
        *,
        detail: str = "",
        fields: Mapping[str, Iterable[str]] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        if code not in _codes:
            raise LookupError(f"The problem code {code!r} is not registered.")
        self.kind = _codes[code]
        self.detail = detail or self.kind.detail or self.kind.title
        self.fields = {path: list(messages) for path, messages in (fields or {}).items()}
        self.headers = dict(headers or {})
        super().__init__(f"{code}: {self.detail}")

    def to_dict(self) -> dict[str, Any]:
        """Return the members of the problem document."""
        members: dict[str, Any] = {
            "type": f"/api/docs#{self.kind.code}",
            "title": self.kind.title,
            "status": self.kind.status,
            "code": self.kind.code,
            "detail": self.detail,
        }
        if self.fields:
            members["fields"] = self.fields
        if has_request_context():
            members["instance"] = request.path
            members["request_id"] = g.get("request_id", "")
        return members

    def response(self) -> Response:
        """Return the answer."""
        return Response(json.dumps(self.to_dict()), self.kind.status, self.headers, content_type=MEDIA_TYPE)


class ProblemSchema(Schema):
    """An error answer, after RFC 9457."""

    type = fields.String(required=True, metadata={"description": "这类错误的说明地址"})
    title = fields.String(required=True, metadata={"description": "错误名称"})
    status = fields.Integer(required=True, metadata={"description": "HTTP 状态码"})
    code = fields.String(required=True, metadata={"description": "稳定的错误代码，供程序判断"})
    detail = fields.String(required=True, metadata={"description": "给使用者看的说明"})
    fields_ = fields.Dict(
        keys=fields.String(),
        values=fields.List(fields.String()),
        data_key="fields",
        metadata={"description": "各字段的问题，键为字段路径"},
    )
    instance = fields.String(metadata={"description": "出错的地址"})
    request_id = fields.String(metadata={"description": "请求编号，报修时请提供"})


_codes: dict[str, ProblemCode] = {}


def register(codes: Iterable[ProblemCode]) -> None:
    """Add codes, a plugin's for example; raises ValueError when one is taken by a different kind of problem."""
    for each in codes:
        if _codes.setdefault(each.code, each) != each:
            raise ValueError(f"The problem code {each.code!r} is registered twice, with different meanings.")


def code_table() -> list[ProblemCode]:
    """Return every registered code, by status and then by name."""
    return sorted(_codes.values(), key=lambda each: (each.status, each.code))


register(
    [
        ProblemCode("bad_request", 400, "请求有误", "请求无法识别，请检查后重试。"),
        ProblemCode("malformed_json", 400, "JSON 格式错误", "请求内容不是合法的 JSON，请检查格式后重试。"),
        ProblemCode("json_too_deep", 400, "JSON 层级过深", "请求内容的嵌套层级过多，请简化后重试。"),
        ProblemCode("login_required", 401, "未登录", "请先登录。"),
        ProblemCode("wrong_credentials", 401, "账号或密码不正确"),
        ProblemCode("refresh_refused", 401, "登录已失效", "登录已失效，请重新登录。"),
        ProblemCode("forbidden", 403, "没有权限", "您没有进行此操作的权限。"),
        ProblemCode("foreign_origin", 403, "请求来源不受信任", "请从本平台的页面进行此操作。"),
        ProblemCode("account_disabled", 403, "账号已停用", "账号已停用，请联系管理员。"),
        ProblemCode("password_change_required", 403, "须修改初始密码", "请先修改初始密码。"),
        ProblemCode("not_found", 404, "未找到", "您访问的内容不存在，或不在您的管理范围内。"),
        ProblemCode("module_off", 404, "模块未启用", "该模块在您所在的区域未启用。"),
        ProblemCode("method_not_allowed", 405, "不支持的操作", "该地址不支持这种请求方法。"),
        ProblemCode("not_acceptable", 406, "无法提供所需格式", "无法以您要求的格式回答。"),
        ProblemCode("duplicate", 409, "记录重复", "已有相同的记录，请修改后重试。"),
        ProblemCode("already_exists", 409, "名称已被使用"),
        ProblemCode("conflict", 409, "状态冲突", "记录当前的状态不允许此操作，请刷新后重试。"),
        ProblemCode("upload_moved", 409, "续传位置不符", "续传位置与已收到的字节数不符，请先查询进度再续传。"),
        ProblemCode("upload_unfinished", 409, "上传未完成", "文件还没有传完，请续传后再提交。"),
        ProblemCode("upload_protocol", 412, "上传协议版本不符", "上传须用 tus 1.0.0，请在 Tus-Resumable 中写明。"),
        ProblemCode("stale_version", 412, "内容已被修改", "这条记录已被他人修改，请刷新后重试。"),
        ProblemCode("too_large", 413, "内容过大", "提交的内容过大，请减小后重试。"),
        ProblemCode("unsupported_media_type", 415, "不支持的内容类型", "不支持这种内容类型，请检查 Content-Type。"),
        ProblemCode("invalid", 422, "内容有误", "提交的内容有误，请按各字段的提示修改。"),
        ProblemCode("invalid_cursor", 422, "翻页位置无效", "翻页位置已失效，请从第一页重新查询。"),
        ProblemCode("idempotency_key_reused", 422, "重复请求编号", "这个 Idempotency-Key 已用于另一个请求，请换一个。"),
        ProblemCode("unreadable_image", 422, "图片无法识别", "图片无法识别或已损坏，请重新选择图片。"),
        ProblemCode("image_too_large", 422, "图片尺寸过大", "图片的像素过多，请缩小后重试。"),
        ProblemCode(
            "unreadable_table", 422, "表格无法识别", "表格无法识别或已损坏，请用模板另存为 xlsx 或 csv 后重试。"
        ),
        ProblemCode("table_too_large", 422, "表格过大", "表格的内容过多，请拆分后重试。"),
        ProblemCode("table_header", 422, "表头有误", "表头与模板不一致，请下载最新模板。"),
        ProblemCode("precondition_required", 428, "缺少版本", "修改记录须用 If-Match 写明您所见的版本，请刷新后重试。"),
        ProblemCode("too_many_requests", 429, "请求过于频繁", "请求过于频繁，请稍后再试。"),
        ProblemCode("too_many_uploads", 429, "未完成的上传过多", "未完成的上传过多，请先完成或取消一部分。"),
        ProblemCode("account_locked", 429, "账号已临时锁定", "密码错误次数过多，账号已临时锁定，请稍后再试。"),
        ProblemCode("headers_too_large", 431, "请求头过大", "请求头过大，请清理浏览器 Cookie 后重试。"),
        ProblemCode("checksum_mismatch", 460, "校验值不符", "收到的内容与校验值不符，请重传这一段。"),
        ProblemCode("internal_error", 500, "系统错误", "系统出错，已记录。请稍后重试，报修时请提供请求编号。"),
        ProblemCode("store_unavailable", 503, "数据库暂不可用", "数据库暂不可用，请稍后重试。"),
        ProblemCode("files_unavailable", 503, "文件存储暂不可用", "文件存储暂时无法使用，请稍后重试。"),
        ProblemCode("files_full", 507, "文件存储已满", "文件存储空间已满，请联系管理员清理或扩容后重试。"),
    ]
)
