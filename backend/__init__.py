"""Qingxu 清序: the platform on which waste-sorting modules run."""

__version__ = "0.1.0"
