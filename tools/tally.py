# tools/tally.py: counts passed, failed and skipped tests from the runners' own reports.
"""usage: tally.py ctest TREE REPORTS   counts of build tree TREE, whose reports are in REPORTS
          tally.py tap FILE            counts of a node --test run
          tally.py sum TALLY...        the final line; exit status 1 if anything failed

The first two print "passed failed skipped", which is what a tally file holds."""
import json
import pathlib
import re
import subprocess
import sys
import xml.etree.ElementTree as xml


def commands_of(tree):
    """The program each ctest test runs, by the test's name."""
    listing = subprocess.run(["ctest", "--test-dir", tree, "--show-only=json-v1"],
                             check=True, capture_output=True, text=True)
    tests = json.loads(listing.stdout)["tests"]
    return {test["name"]: pathlib.Path(test["command"][0]).name
            for test in tests if test.get("command")}


def count_googletest(report):
    """Passed, failed, skipped of one GoogleTest JSON report."""
    cases = [case for suite in report["testsuites"] for case in suite["testsuite"]]
    failed = sum(1 for case in cases if case.get("failures"))
    skipped = sum(1 for case in cases
                  if case.get("result") in ("SKIPPED", "SUPPRESSED") and not case.get("failures"))
    return len(cases) - failed - skipped, failed, skipped


def count_one(status, report):
    """One ctest test. A program that failed beside its cases (it crashed, or leaked at its end)
    is one failure more."""
    if report is None:
        return {"run": (1, 0, 0), "disabled": (0, 0, 1), "notrun": (0, 1, 0)}.get(status, (0, 1, 0))
    passed, failed, skipped = count_googletest(report)
    if status != "run" and failed == 0:
        failed = 1
    return passed, failed, skipped


def count_ctest(tree, reports):
    commands = commands_of(tree)
    root = xml.parse(pathlib.Path(reports) / "ctest.xml").getroot()
    total = [0, 0, 0]
    for case in root.iter("testcase"):
        name = case.get("name")
        path = pathlib.Path(reports) / f"{commands.get(name)}.json"
        try:
            report = json.loads(path.read_text())
        except (FileNotFoundError, ValueError):
            report = None  # Not a GoogleTest program, or it died before it could write.
        total = [a + b for a, b in zip(total, count_one(case.get("status"), report))]
    if sum(total) == 0:
        total[1] = 1  # Nothing ran at all: that is no success.
    return total


def count_tap(text):
    def count(word):
        found = re.findall(rf"^# {word} (\d+)$", text, re.MULTILINE)
        return int(found[-1]) if found else 0
    total = [count("pass"), count("fail") + count("cancelled"), count("skipped") + count("todo")]
    if sum(total) == 0:
        total[1] = 1
    return total


def final_line(totals):
    passed, failed, skipped = totals
    line = f"{passed} passed, {failed} failed"
    return line + (f", {skipped} skipped" if skipped else "")


def sum_tallies(paths):
    rows = [[int(word) for word in pathlib.Path(path).read_text().split()] for path in paths]
    return [sum(column) for column in zip([0, 0, 0], *rows)]


def main(arguments):
    match arguments:
        case ["ctest", tree, reports]:
            print(*count_ctest(tree, reports))
        case ["tap", path]:
            print(*count_tap(pathlib.Path(path).read_text()))
        case ["sum", *paths]:
            totals = sum_tallies(paths)
            print(final_line(totals))
            return 1 if totals[1] or not totals[0] else 0
        case _:
            print(__doc__, file=sys.stderr)
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
