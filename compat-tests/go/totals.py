"""Reads the events of `go test -json` and ends with the line `N passed, N failed`.

Counts scenarios, not the tests that only hold them together; a skipped one counts as neither.
Shows the results and the output of what failed. The exit code is 0 only when something passed and nothing failed.
"""

import json
import sys


def main() -> int:
    results: dict[str, str] = {}
    output: dict[str, list[str]] = {}
    broken = []
    for line in sys.stdin:
        try:
            event = json.loads(line)
        except ValueError:
            print(line, end="")
            continue
        name, action = event.get("Test", ""), event["Action"]
        if action in ("output", "build-output"):
            output.setdefault(name, []).append(event["Output"])
        elif action == "build-fail" or (action == "fail" and not name):
            broken.append(event)
        elif name and action in ("pass", "fail", "skip"):
            results[name] = action
            if action != "skip":
                print(f"{action} {name} {event.get('Elapsed', 0)} s")
    leaves = [name for name in results if not any(other.startswith(name + "/") for other in results)]
    passed = sum(results[name] == "pass" for name in leaves)
    failed = sum(results[name] == "fail" for name in leaves)
    # A compiler's error, a panic, or a broker that did not end well has no test of its own.
    if broken and not failed:
        failed = 1
    if failed:
        for name, lines in output.items():
            if results.get(name, "fail") == "fail":
                print("".join(lines[-100:]), end="")
    print(f"{passed} passed, {failed} failed")
    return 0 if passed and not failed else 1


if __name__ == "__main__":
    sys.exit(main())
