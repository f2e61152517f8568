"""Why identity says no; the HTTP layer turns each into a problem answer with the same code."""

from __future__ import annotations

from collections.abc import Mapping


class IdentityError(Exception):
    """A refusal: `code` is stable, `status` is the HTTP status it becomes, `detail` is what the person reads."""

    code = "identity"
    status = 403
    detail = "操作被拒绝。"

    def __init__(
        self, detail: str = "", *, fields: Mapping[str, list[str]] | None = None, retry_after: int | None = None
    ) -> None:
        self.detail = detail or type(self).detail
        self.fields = dict(fields or {})
        self.retry_after = retry_after
        super().__init__(self.detail)


class NotLoggedIn(IdentityError):
    """No session, or one that has ended."""

    code = "login_required"
    status = 401
    detail = "请先登录。"


class WrongCredentials(IdentityError):
    """Account and password do not fit together; never says which of the two is wrong."""

    code = "wrong_credentials"
    status = 401
    detail = "账号或密码不正确。"


class RefreshRefused(IdentityError):
    """The refresh token is unknown, expired, or was used before (which ends its session)."""

    code = "refresh_refused"
    status = 401
    detail = "登录已失效，请重新登录。"


class AccountLocked(IdentityError):
    """Too many wrong passwords; `retry_after` seconds to wait."""

    code = "account_locked"
    status = 429
    detail = "密码错误次数过多，账号已临时锁定，请稍后再试。"


class AccountDisabled(IdentityError):
    """The password was right, but the account is switched off."""

    code = "account_disabled"
    status = 403
    detail = "账号已停用，请联系管理员。"


class PasswordChangeRequired(IdentityError):
    """The first password has to be changed before anything else."""

    code = "password_change_required"
    status = 403
    detail = "请先修改初始密码。"


class Forbidden(IdentityError):
    """The person does not hold the permission here."""

    code = "forbidden"
    status = 403
    detail = "您没有进行此操作的权限。"


class ForeignOrigin(IdentityError):
    """A change asked for with the page's cookie, but from a page of another site."""

    code = "foreign_origin"
    status = 403
    detail = "请求来源不受信任。"


class ModuleOff(IdentityError):
    """The person holds the permission, but its module is switched off here."""

    code = "module_off"
    status = 404
    detail = "该模块在您所在的区域未启用。"


class NotFound(IdentityError):
    """There is no such thing, or it lies outside of what the person may see."""

    code = "not_found"
    status = 404
    detail = "未找到该记录。"


class Taken(IdentityError):
    """Another record has the name already."""

    code = "already_exists"
    status = 409
    detail = "该名称已被使用。"


class Invalid(IdentityError):
    """A value breaks a rule; `fields` has the messages by field."""

    code = "invalid"
    status = 422
    detail = "提交的内容有误。"


class Stale(IdentityError):
    """Somebody else changed the record since it was read."""

    code = "stale_version"
    status = 412
    detail = "该记录已被他人修改，请刷新后重试。"
