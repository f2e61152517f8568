"""Accounts: made, changed, granted to, disabled, and their passwords."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from bson import ObjectId

from backend.identity import changes
from backend.identity.attempts import forget_attempts
from backend.identity.contact import normal_id_number, short_phone
from backend.identity.errors import Forbidden, Invalid, NotFound
from backend.identity.models import Grant, Role, User, is_account, normal_account
from backend.identity.passwords import HISTORY, check_password, hash_password, password_fits, random_password
from backend.identity.principal import Principal
from backend.identity.scope import may_hand_on, require, scope_filter
from backend.identity.sessions import end_sessions_of
from backend.identity.territory import check_area, check_organisation
from backend.identity.vocabulary import COMPANY_TYPES
from backend.protection import audit, blind_index

ADMINISTER = "platform:users"


def add_user(principal: Principal, values: Mapping[str, Any]) -> tuple[User, str]:
    """Make an account; returns it with its first password, which has to be changed at the first login.

    Without `grants` the person gets the role of his type in his area, bound to his organisation where the type says
    so. Without `password` one is made up. Raises Forbidden, Invalid or Taken.
    """
    require(principal, ADMINISTER, values["area"])
    given = dict(values)
    grants, password = given.pop("grants", None), given.pop("password", None)
    user = _new_user(given)
    user.grants = _grants(grants) if grants is not None else [default_grant(user)]
    _check_handing_on(principal, user.grants)
    password = password or random_password()
    _set_password(user, password, must_change=True)
    changes.add(user, "platform.user.add", {"user_type": user.user_type, "grants": _described(user.grants)})
    return user, password


def make_user(password: str, *, must_change: bool, **values: Any) -> User:
    """Make an account in nobody's name, for commands and demo data; raises Invalid or Taken."""
    user = _new_user(values)
    user.grants = [default_grant(user)]
    _set_password(user, password, must_change=must_change)
    return changes.add(user, "platform.user.add", {"user_type": user.user_type, "grants": _described(user.grants)})


def find_user(principal: Principal, id: ObjectId) -> User:
    """Return an account that the person administers; raises NotFound."""
    user = User.objects(__raw__={"$and": [{"_id": id}, scope_filter(principal, ADMINISTER)]}).first()
    if user is None:
        raise NotFound
    return user


def user_filter(
    principal: Principal,
    *,
    area: str = "",
    phone: str = "",
    account: str = "",
    id_number: str = "",
    **equal: Any,
) -> dict[str, Any]:
    """Return the filter of the accounts that the person administers and that match; phone and card by blind index."""
    conditions = dict(equal)
    if account:
        conditions["account"] = normal_account(account)
    if phone:
        conditions["phone_index"] = blind_index(User, "phone", phone)
    if id_number:
        conditions["id_number_index"] = blind_index(User, "id_number", id_number)
    return {"$and": [scope_filter(principal, ADMINISTER, within=area), conditions]}


def change_user(principal: Principal, user: User, values: Mapping[str, Any]) -> User:
    """Change name, type, area, organisation, phone or identity card of an account that was read.

    Raises Forbidden, Invalid or Stale.
    """
    if "area" in values:
        require(principal, ADMINISTER, values["area"])
        check_area(values["area"])
    check_organisation(values.get("organisation"))
    return _administer(principal, user, "change", lambda record: _apply(record, values))


def set_active(principal: Principal, user: User, active: bool) -> User:
    """Enable or disable an account; disabling ends its sessions at once. Raises Forbidden or Stale."""
    _not_oneself(principal, user)

    def apply(record: User) -> None:
        record.active = active
        if not active:
            end_sessions_of(record.id)

    return _administer(principal, user, "enable" if active else "disable", apply)


def set_grants(principal: Principal, user: User, grants: Sequence[Mapping[str, Any]]) -> User:
    """Replace an account's grants, from its next request on.

    A person may give and take only what he holds himself, in areas that he administers, and never to himself.
    Raises Forbidden, Invalid or Stale.
    """
    _not_oneself(principal, user)
    wanted = _grants(grants)
    _check_handing_on(principal, wanted)

    def apply(record: User) -> Mapping[str, Any]:
        before, record.grants = _described(record.grants), wanted
        return {"before": before, "after": _described(wanted)}

    return _administer(principal, user, "grant", apply)


def reset_password(principal: Principal, user: User) -> tuple[User, str]:
    """Give an account a new first password, unlock it and end its sessions; returns the password to hand over.

    Raises Forbidden or Stale.
    """
    _not_oneself(principal, user)
    password = random_password()

    def apply(record: User) -> None:
        _set_password(record, password, must_change=True)
        end_sessions_of(record.id)
        forget_attempts(record.account)

    return _administer(principal, user, "reset_password", apply), password


def change_own_password(principal: Principal, old: str, new: str) -> None:
    """Change the person's own password and end his other sessions; raises Invalid."""
    user = own_user(principal)
    if not password_fits(old, user.password):
        raise Invalid(fields={"old_password": ["原密码不正确。"]})
    _check_new_password(user, new, [user.password, *user.password_history])

    def apply(record: User) -> None:
        _set_password(record, new, must_change=False, checked=True)
        end_sessions_of(record.id, but=principal.session)

    changes.change(User, user.id, user.version, apply, "platform.user.change_password")


def change_own_profile(principal: Principal, values: Mapping[str, Any]) -> User:
    """Change the person's own name or phone; raises Invalid or Stale."""
    user = own_user(principal)
    return changes.change(
        User, user.id, user.version, lambda record: _apply(record, values), "platform.user.change_profile"
    )


def own_user(principal: Principal) -> User:
    """Return the person's own account."""
    return User.objects.get(id=principal.id)


def own_phone(principal: Principal) -> str:
    """Return the person's own phone number in the clear, empty for none; keep it encrypted or not at all."""
    return own_user(principal).phone or ""


def reveal_contact(principal: Principal, user: User) -> dict[str, str]:
    """Return phone and identity card in full, and audit the look; raises Forbidden."""
    require(principal, "platform:unmask", user.area)
    detail = {"fields": ["phone", "id_number"]}
    audit.record("platform.user.reveal", subject="user", subject_id=str(user.id), area=user.area, detail=detail)
    return {"phone": user.phone or "", "id_number": user.id_number or ""}


def default_grant(user: User) -> Grant:
    """Return the role of the person's type in his area, bound to his company where the type works for one.

    Raises Invalid when such a person has no company.
    """
    bound = None
    if user.user_type in COMPANY_TYPES:
        if user.organisation is None:
            raise Invalid(fields={"organisation": ["此类用户须指定所属单位。"]})
        bound = user.organisation
    return Grant(role=user.user_type, area=user.area, organisation=bound)


def check_may_administer(principal: Principal, user: User) -> None:
    """Raise Forbidden unless the person administers this account and holds all that it holds.

    Otherwise somebody could take over a mightier account by resetting its password.
    """
    require(principal, ADMINISTER, user.area)
    if user.id != principal.id and not _may_hand_on_all(principal, user.grants):
        raise Forbidden("该账号的权限超出您的授权范围。")


def _administer(principal: Principal, user: User, verb: str, apply: Callable[[User], Mapping[str, Any] | None]) -> User:
    def checked(record: User) -> Mapping[str, Any] | None:
        check_may_administer(principal, record)
        return apply(record)

    return changes.change(User, user.id, user.version, checked, f"platform.user.{verb}")


def _not_oneself(principal: Principal, user: User) -> None:
    if user.id == principal.id:
        raise Forbidden("不能对自己的账号进行此操作。")


def _new_user(values: Mapping[str, Any]) -> User:
    account = normal_account(values["account"])
    if not is_account(account):
        raise Invalid(fields={"account": ["账号应为 3 至 64 位小写字母、数字或 _ . @ -，以字母或数字开头。"]})
    check_area(values["area"])
    check_organisation(values.get("organisation"))
    user = User(account=account)
    _apply(user, {name: value for name, value in values.items() if name != "account"})
    return user


def _apply(user: User, values: Mapping[str, Any]) -> Mapping[str, Any]:
    checks = {"phone": short_phone, "id_number": normal_id_number}
    for name, value in values.items():
        try:
            if name in checks:
                value = checks[name](value) if value else None
            setattr(user, name, value)
        except ValueError as error:
            raise Invalid(fields={name: [str(error)]}) from error
    return {"fields": sorted(values)}


def _check_new_password(user: User, password: str, history: Sequence[str] = ()) -> None:
    check_password(password, account=user.account, name=user.name, phone=user.phone or "", history=history)


def _set_password(user: User, password: str, *, must_change: bool, checked: bool = False) -> None:
    if not checked:
        _check_new_password(user, password)
    if user.password:
        user.password_history = [user.password, *user.password_history][: HISTORY - 1]
    user.password, user.must_change_password = hash_password(password), must_change


def _grants(grants: Iterable[Mapping[str, Any]]) -> list[Grant]:
    made = [Grant(role=each["role"], area=each["area"], organisation=each.get("organisation")) for each in grants]
    for number, grant in enumerate(made):
        check_area(grant.area, f"grants.{number}.area")
        check_organisation(grant.organisation, f"grants.{number}.organisation")
    return made


def _check_handing_on(principal: Principal, grants: Sequence[Grant]) -> None:
    known = {role.name for role in Role.objects(name__in=[grant.role for grant in grants]).only("name")}
    for number, grant in enumerate(grants):
        if grant.role not in known:
            raise Invalid(fields={f"grants.{number}.role": ["没有这个角色。"]})
        if not may_hand_on(principal, [ADMINISTER], grant.area):
            raise Forbidden("您只能在自己管理的区域内授权。")
    if not _may_hand_on_all(principal, grants):
        raise Forbidden("您只能授予自己拥有的权限。")


def _may_hand_on_all(principal: Principal, grants: Sequence[Grant]) -> bool:
    roles = {role.name: role.permissions for role in Role.objects(name__in=[grant.role for grant in grants])}
    return all(may_hand_on(principal, roles.get(grant.role, ()), grant.area, grant.organisation) for grant in grants)


def _described(grants: Sequence[Grant]) -> list[str]:
    return [f"{grant.role}@{grant.area or '*'}" + (f"#{grant.organisation}" if grant.organisation else "")
            for grant in grants]  # fmt: skip
