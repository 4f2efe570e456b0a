"""Takes README.md apart: the code blocks of a section, and its table of configuration keys; runs its shell lines."""

import re
import subprocess

from broker import ROOT, die_with_parent

# The address that the README writes; a test puts its broker's in this place.
ADDRESS = "localhost:9092"
LINE_SECONDS_MAX = 20


def section(heading: str) -> str:
    """The text under a `##` heading."""
    text = (ROOT / "README.md").read_text()
    found = re.search(rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    assert found, f"README.md has no section {heading}"
    return found.group(1)


def opening() -> str:
    """What stands before the first section."""
    return (ROOT / "README.md").read_text().split("\n## ")[0]


def block(text: str, language: str) -> str:
    """The only code block in this language."""
    blocks = re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert len(blocks) == 1, f"{len(blocks)} blocks of {language}"
    return blocks[0]


def commands(text: str) -> list[str]:
    """The lines of the only shell block, without comments."""
    return [line.split(" # ")[0].strip() for line in block(text, "sh").splitlines() if line.strip()]


def at(address: str, text: str) -> str:
    """The example with another address than the README's, which it has to name."""
    assert ADDRESS in text, f"{ADDRESS} is not in: {text}"
    return text.replace(ADDRESS, address)


def shell(line: str) -> str:
    """What a shell line prints; it has to succeed."""
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", line],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=LINE_SECONDS_MAX,
        preexec_fn=die_with_parent,
    )
    assert done.returncode == 0, f"{line}: {done.stderr}"
    return done.stdout


def defaults(text: str) -> dict[str, str]:
    """Key and default of each row of the section's table whose default stands as code."""
    found = {}
    for row in re.findall(r"^\| (`.*?) \| (.*?) \|", text, re.MULTILINE):
        keys, values = (re.findall(r"`([^`]+)`", cell) for cell in row)
        if values:
            found.update(zip(keys, values, strict=True))
    return found
