"""Puts the tables of a run between the marks in docs/performance.md."""

from bench import table
from bench.brokers import ROOT
from bench.children import Failed

PAGE = ROOT / "docs" / "performance.md"
BEGIN = "<!-- the figures, written by scripts/bench --write-docs -->"
END = "<!-- end of the figures -->"


def replaced(page: str, text: str) -> str:
    """The page with another text between its marks."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise Failed("docs/performance.md has lost the marks between which the figures stand")
    return f"{before}{BEGIN}\n{text}\n{END}{after}"


def write(data: dict) -> None:
    PAGE.write_text(replaced(PAGE.read_text(), table.whole(data)))
