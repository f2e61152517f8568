"""The routes and pages of identity: login, own account, users, roles, areas, organisations, module switches."""

from backend.accounts import me_routes, role_routes, session_routes, territory_routes, user_routes

#: The API routes.
BLUEPRINTS = (
    session_routes.blueprint,
    me_routes.blueprint,
    user_routes.blueprint,
    role_routes.blueprint,
    territory_routes.blueprint,
)
