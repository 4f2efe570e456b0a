import unittest

from bench import docs, table
from bench.children import Failed


def run(pair, side, value, **more):
    empty = {"records": 0, "bytes": 0, "cost": None, "seconds": 0, "client_cpu_s": None, "raw": {}}
    return {"pair": pair, "side": side, "figures": {"": value}, **empty, **more}


def case(name, runs, better="higher", target=None, absolute=None, cost_targets=None):
    figure = {"name": "", "unit": "MB/s", "better": better, "target": target, "absolute": absolute}
    return {"name": name, "figures": [figure], "cost_targets": cost_targets or {}, "runs": runs, "note": ""}


def rows(text):
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines()]


class Figures(unittest.TestCase):
    def row(self, one):
        return rows(table.figures({"cases": [one]}))[2]

    def test_a_row_has_both_medians_and_the_median_of_the_ratios_of_pairs(self):
        values = [(1, 10, 20), (2, 20, 20), (3, 40, 120)]
        runs = [run(p, "kafka", k) for p, k, _ in values] + [run(p, "milena", m) for p, _, m in values]
        found = self.row(case("consume", runs, target=1.5))
        self.assertEqual(found, ["consume", "20.0", "20.0", "MB/s ↑", "2.00", "1.00–3.00", "≥ 1.50", "yes"])

    def test_a_target_is_missed_in_the_direction_of_the_figure(self):
        runs = [run(1, "kafka", 10), run(1, "milena", 5)]
        self.assertEqual(self.row(case("a", runs, "higher", 0.6))[-1], "**no**")
        self.assertEqual(self.row(case("a", runs, "lower", 0.6))[-1], "yes")

    def test_a_case_of_milena_alone_is_held_to_its_absolute_target(self):
        found = self.row(case("many", [run(1, "milena", 300)], "lower", absolute=250))
        self.assertEqual(found, ["many", "-", "300", "MB/s ↓", "-", "", "≤ 250 MB/s", "**no**"])

    def test_a_case_that_did_not_run_keeps_its_row(self):
        self.assertEqual(self.row(case("late", []))[:5], ["late", "-", "-", "-", "-"])

    def test_the_produce_cases_share_a_row_for_their_median(self):
        names = ["produce/1KB/16p/acks1/none", "produce-java/1KB/1p/acks1/none", "produce/1KB/100p/acks1/none"]
        ratios = [3, 1, 2]
        cases = [case(n, [run(1, "kafka", 10), run(1, "milena", 10 * r)]) for n, r in zip(names, ratios)]
        cases.append(case("produce/1KB/1p/acks1/none", [run(1, "kafka", 1), run(1, "milena", 99)]))
        found = rows(table.figures({"cases": cases}))[-1]
        self.assertEqual(found[4:], ["2.00", "1.00–3.00", "≥ 1.40", "yes"])


class Costs(unittest.TestCase):
    def test_costs_are_per_million_records_and_per_gigabyte_and_compared(self):
        def costly(side, cpu, peak):
            cost = {"cpu_s": cpu, "voluntary": 3000, "involuntary": 1000, "ended_threads": 0, "peak_rss": peak}
            more = {"records": 2_000_000, "bytes": 500_000_000, "cost": cost, "client_cpu_s": 3.0}
            return run(1, side, 1, raw={"seconds": 2.0}, **more)

        runs = [costly("kafka", 4.0, 10**9), costly("milena", 1.0, 2 * 10**7)]
        found = rows(table.costs({"cases": [case("produce", runs, cost_targets={"cpu_per_gb": 0.2})]}))[2]
        self.assertEqual(found[1:4], ["2.00", "0.5", "0.25"])
        self.assertEqual(found[4:7], ["8.00", "2.00", "0.25 (≤ 0.2: **no**)"])
        self.assertEqual(found[7:10], ["2.00", "2.00", "1.00"])
        self.assertEqual(found[10:13], ["1,000", "20.0", "0.02"])
        self.assertEqual(found[13:], ["150 %", "150 %"])

    def test_what_moved_no_bytes_has_no_cost_per_gigabyte(self):
        cost = {"cpu_s": 1.0, "voluntary": 1, "involuntary": 1, "ended_threads": 0, "peak_rss": 1}
        found = rows(table.costs({"cases": [case("idle", [run(1, "milena", 1, cost=cost)])]}))[2]
        self.assertEqual(found[4:7], ["-", "-", "-"])


class Page(unittest.TestCase):
    def test_the_tables_come_between_the_marks_and_the_rest_stays(self):
        page = f"before\n{docs.BEGIN}\nold\n{docs.END}\nafter\n"
        self.assertEqual(docs.replaced(page, "new"), f"before\n{docs.BEGIN}\nnew\n{docs.END}\nafter\n")

    def test_a_page_without_its_marks_is_not_overwritten(self):
        with self.assertRaises(Failed):
            docs.replaced("a page", "new")
