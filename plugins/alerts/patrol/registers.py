"""What both registers of patrols share: their permissions."""

from __future__ import annotations

from dataclasses import dataclass

from backend.plugin_api import Resource


@dataclass(frozen=True, kw_only=True)
class PatrolRegister(Resource):
    """A register that people keep who may not keep the catalogue of alerts: its permissions are its own."""

    module: str = "alerts"

    def permission(self, action: str) -> str:
        """Return the permission that `action` asks for."""
        return f"alerts:patrol_{action}"
