"""The fictional district 清序区: made once in demo mode, so that a newcomer sees the platform at work."""

from backend.demo.making import make_demo

__all__ = ["make_demo"]
