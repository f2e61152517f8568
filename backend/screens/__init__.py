"""What the store keeps for big screens: links for guests, and the boards that administrators arrange."""

from backend.screens.models import Board, BoardVersion, GuestLink

__all__ = ["DOCUMENTS", "Board", "BoardVersion", "GuestLink"]

DOCUMENTS = (GuestLink, Board, BoardVersion)
