"""Finds plugins, checks them, puts them in order, collects what they add and keeps their errors to themselves."""

from backend.plugins_host.discovery import IN_TREE, Folder
from backend.plugins_host.loading import load_plugins

__all__ = ["IN_TREE", "Folder", "load_plugins"]
