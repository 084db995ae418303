"""The last lines of scripts/test: what was skipped or failed, and the counts. usage: summarise.py JUNIT_XML CTEST_STATUS

Exit status 0 only if tests ran and none failed, where under CI=true a skipped one has failed. Standard library only.
"""

import os
import sys
import xml.etree.ElementTree as ElementTree


def reason(case):
    """The line in which a skipped test says why, or ctest's own words."""
    output = case.findtext("system-out") or ""
    for line in output.splitlines():
        if "SKIPPED" in line.upper():
            return line.strip()
    skipped = case.find("skipped")
    message = skipped.get("message", "") if skipped is not None else ""
    return message or "not run"


def summarise(path, ctest_status, strict):
    try:
        cases = list(ElementTree.parse(path).getroot().iter("testcase"))
    except (OSError, ElementTree.ParseError) as error:
        return [f"ctest left no readable result: {error}"], 1
    lines, passed, failed, skipped = [], 0, 0, 0
    for case in sorted(cases, key=lambda case: case.get("name", "")):
        status = case.get("status")
        if status == "run" and case.find("failure") is None and case.find("skipped") is None:
            passed += 1
        elif status == "fail" or case.find("failure") is not None:
            failed += 1
            lines.append(f"FAILED  {case.get('name')}")
        else:
            skipped += 1
            lines.append(f"SKIPPED {case.get('name')}: {reason(case)}")
    if not cases:
        lines.append("no test ran: that is a failure")
    if skipped and strict:
        lines.append(f"under CI=true a skipped test counts as failed: {skipped}")
        failed, skipped = failed + skipped, 0
    lines.append(f"{passed} passed, {failed} failed, {skipped} skipped")
    bad = not cases or failed or ctest_status
    return lines, 1 if bad else 0


def main():
    lines, status = summarise(sys.argv[1], int(sys.argv[2]), os.environ.get("CI") == "true")
    print("\n".join(lines))
    return status


if __name__ == "__main__":
    sys.exit(main())
