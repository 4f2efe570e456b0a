"""What a run found, as it is written to JSON and read for the tables."""

import json
from dataclasses import asdict
from pathlib import Path

from bench.model import Case, Outcome


def of_case(case: Case) -> dict:
    return {
        "name": case.name,
        "figures": [asdict(figure) for figure in case.figures],
        "cost_targets": case.cost_targets,
        "runs": [],
        "note": "",
    }


def of_run(pair: int, side: str, outcome: Outcome) -> dict:
    return {"pair": pair, "side": side, **asdict(outcome)}


def write(path: Path, data: dict) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(data, indent=1, ensure_ascii=False) + "\n")


def read(path: Path) -> dict:
    return json.loads(path.read_text())
