"""The ground that all tests of faults stand on, started once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.faults.ground import Ground


@pytest.fixture(scope="session")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    """Start servers of their own, for these tests kill them, and furnish a district."""
    ground = Ground(tmp_path_factory.mktemp("ground"))
    try:
        ground.open()
        yield ground
    finally:
        ground.close()


@pytest.fixture
def quiet(ground: Ground) -> Ground:
    """Let no process run but those that a test strikes."""
    ground.kill(*list(ground.processes))
    return ground


@pytest.fixture
def running(ground: Ground) -> Ground:
    """Let every process run."""
    ground.run_all()
    return ground
