import unittest

from bench import stats


class Stats(unittest.TestCase):
    def test_the_ratio_is_milena_over_kafka_of_the_same_pair(self):
        self.assertEqual(stats.pairwise({1: 2.0, 2: 4.0}, {1: 3.0, 2: 2.0}), [1.5, 0.5])

    def test_a_pair_that_only_one_broker_finished_has_no_ratio(self):
        self.assertEqual(stats.pairwise({1: 2.0, 3: 1.0}, {2: 3.0, 3: 4.0}), [4.0])

    def test_a_pair_in_which_kafka_stayed_at_the_floor_has_no_ratio(self):
        self.assertEqual(stats.pairwise({1: 0.0, 2: 2.0}, {1: 3.0, 2: 1.0}), [0.5])

    def test_the_median_leaves_out_what_is_missing(self):
        self.assertEqual(stats.median([3.0, None, 1.0, 2.0]), 2.0)
        self.assertEqual(stats.median([1.0, 2.0]), 1.5)
        self.assertIsNone(stats.median([None]))

    def test_the_spread_is_the_least_and_the_most(self):
        self.assertEqual(stats.spread([1.2, 0.9, 1.1]), (0.9, 1.2))
        self.assertIsNone(stats.spread([]))

    def test_the_floor_is_taken_off_and_never_leaves_less_than_nothing(self):
        self.assertEqual(stats.above_floor(60.0, 4.5), 55.5)
        self.assertEqual(stats.above_floor(90.0, 120.0), 0.0)

    def test_a_target_is_a_least_value_when_higher_is_better_and_else_a_most(self):
        self.assertTrue(stats.meets(1.7, 1.7, "higher"))
        self.assertFalse(stats.meets(1.69, 1.7, "higher"))
        self.assertTrue(stats.meets(0.25, 0.25, "lower"))
        self.assertFalse(stats.meets(0.26, 0.25, "lower"))

    def test_without_a_value_or_a_target_nothing_is_said(self):
        self.assertIsNone(stats.meets(None, 1.0, "higher"))
        self.assertIsNone(stats.meets(1.0, None, "lower"))
