"""A case is handed over, the package is made, fetched, verified and received."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile

from tests.handover.conftest import Ground, work
from tests.handover.small import check


def test_the_package(ground: Ground) -> None:
    content = ground.package()
    record = ground.of_case()
    report = check(content, record.package.fingerprint)
    assert report.findings == [], report.findings
    print(report.facts)
    print(zipfile.ZipFile(io.BytesIO(content)).namelist())
