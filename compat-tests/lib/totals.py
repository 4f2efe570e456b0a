"""Prints `N passed, N failed` for JUnit XML reports and ends with 1 when a test failed or none ran.

Usage: totals.py FILE…
"""

import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path


def main(files: list[str]) -> int:
    passed = failed = 0
    for file in files:
        if not Path(file).exists():
            continue
        for suite in ElementTree.parse(file).getroot().iter("testsuite"):
            count = {key: int(suite.get(key) or 0) for key in ("tests", "failures", "errors", "skipped")}
            bad = count["failures"] + count["errors"]
            failed += bad
            passed += max(0, count["tests"] - bad - count["skipped"])
    print(f"{passed} passed, {failed} failed")
    return 0 if passed and not failed else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
