"""The tables, as Markdown, from what a run left as JSON. Pure."""

from dataclasses import dataclass

from bench.stats import meets, median, pairwise, spread

KAFKA, MILENA, CLIENT = "kafka", "milena", "client"
NONE = "-"


@dataclass(frozen=True)
class Summary:
    """The median of the ratios of several cases."""

    name: str
    target: float

    def covers(self, case: str) -> bool:
        raise NotImplementedError


class SeveralPartitions(Summary):
    def covers(self, case: str) -> bool:
        many = "/16p/" in case or "/100p/" in case
        return case.startswith("produce-java/") or (case.startswith("produce/") and many and case.endswith("/none"))


SUMMARIES = [SeveralPartitions("produce: median of 16 and 100 partitions and of ProducerPerformance", 1.4)]


def number(value: float | None) -> str:
    """Three digits that say something."""
    if value is None:
        return NONE
    size = abs(value)
    if size >= 100:
        return f"{value:,.0f}"
    if size >= 10:
        return f"{value:.1f}"
    if size >= 1:
        return f"{value:.2f}"
    return f"{value:.3g}"


def yes(met: bool | None) -> str:
    return "" if met is None else "yes" if met else "**no**"


def markdown(head: list[str], rows: list[list[str]]) -> str:
    """Columns padded to one width, so that it reads in a terminal too; all but the first are right-aligned."""
    widths = [max(len(row[column]) for row in [head, *rows]) for column in range(len(head))]

    def line(cells: list[str]) -> str:
        first, *rest = (cell for cell in cells)
        aligned = [first.ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(rest, widths[1:]))]
        return f"| {' | '.join(aligned)} |"

    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    return "\n".join([line(head), line(rule), *map(line, rows)])


def by_pair(case: dict, side: str, name: str) -> dict[int, float]:
    runs = [run for run in case["runs"] if run["side"] == side]
    return {run["pair"]: run["figures"][name] for run in runs if name in run["figures"]}


def target_text(figure: dict) -> str:
    sign = "≥" if figure["better"] == "higher" else "≤"
    parts = [f"{sign} {number(figure['target'])}"] if figure["target"] is not None else []
    if figure["absolute"] is not None:
        parts.append(f"{sign} {number(figure['absolute'])} {figure['unit']}".rstrip())
    return ", ".join(parts)


def verdict(figure: dict, ratio: float | None, milena: float | None) -> bool | None:
    """With a target for the ratio that one counts, else the absolute one."""
    if figure["target"] is not None:
        return meets(ratio, figure["target"], figure["better"])
    return meets(milena, figure["absolute"], figure["better"])


def ranged(ratios: list[float]) -> tuple[str, str]:
    found = spread(ratios)
    return number(median(ratios)), f"{number(found[0])}–{number(found[1])}" if found else ""


def figure_row(case: dict, figure: dict) -> tuple[list[str], float | None]:
    kafka, milena = (by_pair(case, side, figure["name"]) for side in (KAFKA, MILENA))
    ratios = pairwise(kafka, milena)
    ratio, between = ranged(ratios)
    mine = median(milena.values())
    name = " ".join(filter(None, [case["name"], figure["name"]]))
    met = verdict(figure, median(ratios), mine)
    better = "↑" if figure["better"] == "higher" else "↓"
    cells = [name, number(median(kafka.values())), number(mine), f"{figure['unit']} {better}".strip()]
    return [*cells, ratio, between, target_text(figure), yes(met)], median(ratios)


FIGURES_HEAD = ["case", "Kafka", "Milena", "", "ratio", "spread", "target", "met?"]


def figures(data: dict) -> str:
    """Every figure of both brokers."""
    rows, main = [], {}
    for case in data["cases"]:
        if CLIENT in {run["side"] for run in case["runs"]}:
            continue
        if not case["runs"]:
            rows.append([case["name"], *[NONE] * 4, "", "", ""])
            continue
        for figure in case["figures"]:
            row, ratio = figure_row(case, figure)
            rows.append(row)
            main.setdefault(case["name"], ratio)
    return markdown(FIGURES_HEAD, rows + list(summaries(main)))


def summaries(ratios: dict[str, float | None]):
    for summary in SUMMARIES:
        covered = [ratio for case, ratio in ratios.items() if summary.covers(case) and ratio is not None]
        if covered:
            ratio, between = ranged(covered)
            met = meets(median(covered), summary.target, "higher")
            yield [summary.name, "", "", "", ratio, between, f"≥ {number(summary.target)}", yes(met)]


def per(run: dict, name: str) -> float | None:
    """A cost of one run."""
    cost = run["cost"]
    if cost is None:
        return None
    if name == "peak_rss":
        return cost["peak_rss"] / 1e6
    divisors = {
        "cpu_per_m": run["records"] / 1e6,
        "cpu_per_gb": run["bytes"] / 1e9,
        "switches_per_k": run["records"] / 1e3,
    }
    amount = cost["voluntary"] + cost["involuntary"] if name == "switches_per_k" else cost["cpu_s"]
    return amount / divisors[name] if divisors[name] else None


def cost_by_pair(case: dict, side: str, name: str) -> dict[int, float]:
    found = {run["pair"]: per(run, name) for run in case["runs"] if run["side"] == side}
    return {pair: value for pair, value in found.items() if value is not None}


def compared(case: dict, name: str) -> list[str]:
    """Kafka, Milena, ratio, and with a target whether it is met."""
    kafka, milena = (cost_by_pair(case, side, name) for side in (KAFKA, MILENA))
    ratio = median(pairwise(kafka, milena))
    cells = [number(median(kafka.values())), number(median(milena.values())), number(ratio)]
    target = case["cost_targets"].get(name)
    if target is not None and ratio is not None:
        cells[2] += f" (≤ {number(target)}: {'yes' if meets(ratio, target, 'lower') else '**no**'})"
    return cells


def busy(case: dict, side: str) -> str:
    """CPU seconds of the client in a second of the run, as per cent of one processor."""
    shares = []
    for run in case["runs"]:
        if run["side"] == side and run["client_cpu_s"] is not None:
            seconds = run["raw"].get("seconds") or run["seconds"]
            shares.append(run["client_cpu_s"] / seconds * 100 if seconds else None)
    found = median(shares)
    return NONE if found is None else f"{found:.0f} %"


COSTS = [("cpu_per_m", "CPU s/M records"), ("cpu_per_gb", "CPU s/GB")]
COSTS += [("switches_per_k", "switches/1000 records"), ("peak_rss", "peak RSS, MB")]


def costs(data: dict) -> str:
    """What each case cost the brokers, and how busy the client was."""
    head = ["case"]
    for _, title in COSTS:
        head += [f"{title}: Kafka", "Milena", "ratio"]
    head += ["client CPU: Kafka", "Milena"]
    rows = []
    for case in data["cases"]:
        if not any(run["cost"] for run in case["runs"]):
            continue
        cells = [cell for name, _ in COSTS for cell in compared(case, name)]
        rows.append([case["name"], *cells, busy(case, KAFKA), busy(case, MILENA)])
    return markdown(head, rows)


def ceilings(data: dict) -> str:
    """What the clients reach without a broker behind them."""
    rows = []
    for case in data["cases"]:
        for figure in case["figures"]:
            found = by_pair(case, CLIENT, figure["name"])
            if found:
                name = " ".join(filter(None, [case["name"].removeprefix("ceiling/"), figure["name"]]))
                rows.append([name, number(median(found.values())), figure["unit"]])
    return markdown(["case", "without a broker", ""], rows)


def machine(data: dict) -> str:
    facts = data["machine"]
    return (
        f"{facts['date']}, {facts['cores']} cores ({facts['processor']}), {facts['memory_gb']} GB, "
        f"Linux {facts['kernel']}; Kafka {facts['kafka']} on {facts['java']}; {facts['milena']} at {facts['commit']}; "
        f"{data['pairs']} pairs, {data['minutes']:.0f} minutes"
    )


def notes(data: dict) -> list[str]:
    """Why a case has no figures, or fewer: the first line, the JSON has the rest."""
    return [f"{case['name']}: {case['note'].splitlines()[0]}" for case in data["cases"] if case["note"]]


def whole(data: dict) -> str:
    """Everything, in the order in which it is read."""
    parts = [machine(data)]
    if any(run["side"] != CLIENT for case in data["cases"] for run in case["runs"]):
        parts.append(figures(data))
    if any(run["cost"] for case in data["cases"] for run in case["runs"]):
        parts += ["Broker cost:", costs(data)]
    if any(run["side"] == CLIENT for case in data["cases"] for run in case["runs"]):
        parts += ["Without a broker:", ceilings(data)]
    if notes(data):
        parts.append("\n".join(f"- {note}" for note in notes(data)))
    return "\n\n".join(parts)
