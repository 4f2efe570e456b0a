import contextlib
import io
import unittest

from bench import cases, run
from bench.cases import sizes
from bench.children import Failed


class Cases(unittest.TestCase):
    def test_no_two_rows_have_the_same_name(self):
        names = [(case.name, figure.name) for case in cases.every() for figure in case.figures]
        self.assertEqual(len(names), len(set(names)))

    def test_every_case_has_a_figure_and_says_which_direction_is_better(self):
        for case in cases.every():
            with self.subTest(case.name):
                self.assertTrue(case.figures)
                self.assertLessEqual({figure.better for figure in case.figures}, {"higher", "lower"})

    def test_a_whole_run_and_a_quick_one_stay_within_their_time(self):
        every = cases.every()
        self.assertLess(sum(case.estimate(5, False) for case in every), 85 * 60)
        self.assertLess(sum(case.estimate(1, True) for case in every if case.quick), 150)

    def test_patterns_choose_cases_and_one_that_fits_none_is_refused(self):
        self.assertEqual([case.name for case in run.chosen(["commits/*"], False)], ["commits/10000"])
        self.assertTrue(all(case.quick for case in run.chosen([], True)))
        with self.assertRaises(Failed):
            run.chosen(["produce/7B"], False)

    def test_a_run_is_as_long_as_wanted_and_bounded_in_bytes(self):
        self.assertEqual(sizes.records_for(1_000_000, 2, 100, False), 2_000_000)
        self.assertLessEqual(sizes.records_for(10**9, 2, 1024, False) * 1024, sizes.BYTES_MAX)
        self.assertEqual(sizes.records_for(1, 1, 100, False), 1000)

    def test_the_list_counts_its_pairs_in_words_that_fit(self):
        for pairs, words in ((1, "with 1 pair\n"), (3, "with 3 pairs\n")):
            with contextlib.redirect_stdout(io.StringIO()) as printed:
                run.show_list(cases.every(), pairs, False)
            self.assertTrue(printed.getvalue().endswith(words))
