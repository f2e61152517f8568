"""`python -m tests.docs.write`: write the parts of the documentation that come from the code."""

from __future__ import annotations

import sys

from tests.docs.generated import renewed
from tests.docs.pages import pages


def main() -> None:
    """Renew every page that is out of date and name it."""
    for name, path in pages().items():
        before = path.read_text(encoding="utf-8")
        after = renewed(before)
        if after != before:
            path.write_text(after, encoding="utf-8")
            sys.stdout.write(f"wrote {name}\n")


if __name__ == "__main__":
    main()
