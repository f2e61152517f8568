"""People, organisations, the area tree, roles and grants, sessions, and what each person may see and change."""

from backend.identity.directory import (
    OrganisationFacts,
    PersonFacts,
    areas_above,
    organisations_named,
    organisations_over,
    people_named,
    people_with,
)
from backend.identity.errors import Forbidden, IdentityError, ModuleOff, NotLoggedIn, PasswordChangeRequired
from backend.identity.models import DOCUMENTS, Area, Grant, ModuleSwitch, Organisation, Role, Session, User
from backend.identity.people import own_phone
from backend.identity.permissions import (
    PLATFORM_PERMISSIONS,
    Permission,
    install_roles,
    know_permissions,
    known_modules,
    known_permissions,
    module_of,
)
from backend.identity.principal import HeldGrant, Principal
from backend.identity.registers import area_paths, keep_areas, keep_organisations, move_area
from backend.identity.requests import COOKIE, current_client, current_principal, is_foreign, principal_or_none
from backend.identity.resolving import find_principal, principal_of
from backend.identity.scope import area_filter, permitted, reach, require, require_anywhere, scope_filter
from backend.identity.sessions import Client, end_session, log_in, refresh
from backend.identity.territory import (
    area_names,
    areas_around,
    check_area,
    community_of,
    district_of,
    home_of,
    module_on,
    module_on_anywhere,
)
from backend.identity.vocabulary import AREA_LEVELS, ORGANISATION_KINDS, USER_TYPES, level_below

__all__ = [
    "AREA_LEVELS",
    "COOKIE",
    "DOCUMENTS",
    "ORGANISATION_KINDS",
    "PLATFORM_PERMISSIONS",
    "USER_TYPES",
    "Area",
    "Client",
    "Forbidden",
    "Grant",
    "HeldGrant",
    "IdentityError",
    "ModuleOff",
    "ModuleSwitch",
    "NotLoggedIn",
    "Organisation",
    "OrganisationFacts",
    "PasswordChangeRequired",
    "Permission",
    "PersonFacts",
    "Principal",
    "Role",
    "Session",
    "User",
    "area_filter",
    "area_names",
    "area_paths",
    "areas_above",
    "areas_around",
    "check_area",
    "community_of",
    "current_client",
    "current_principal",
    "district_of",
    "end_session",
    "find_principal",
    "home_of",
    "install_roles",
    "is_foreign",
    "keep_areas",
    "keep_organisations",
    "know_permissions",
    "known_modules",
    "known_permissions",
    "level_below",
    "log_in",
    "module_of",
    "module_on",
    "module_on_anywhere",
    "move_area",
    "organisations_named",
    "organisations_over",
    "own_phone",
    "people_named",
    "people_with",
    "permitted",
    "principal_of",
    "principal_or_none",
    "reach",
    "refresh",
    "require",
    "require_anywhere",
    "scope_filter",
]
