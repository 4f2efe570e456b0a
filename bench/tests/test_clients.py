import unittest

from bench import clients
from bench.children import Failed

PRODUCED = """Warmup first 200000 records. Steady state results will print after the complete test summary.
241001 records sent, 48200.2 records/sec (4.60 MB/sec), 12.0 ms avg latency, 90.0 ms max latency.
500000 records sent, 141723.356009 records/sec (13.52 MB/sec), 609.74 ms avg latency, 794.00 ms max latency, \
627 ms 50th, 765 ms 95th, 782 ms 99th, 790 ms 99.9th.
"""
STEADY = """300000 steady state records sent, 190961.171229 records/sec (18.21 MB/sec), 647.69 ms avg latency, \
794.00 ms max latency, 634 ms 50th, 763 ms 95th, 785 ms 99th, 791 ms 99.9th.
"""
CONSUMED = """start.time, end.time, data.consumed.in.MB, MB.sec, data.consumed.in.nMsg, nMsg.sec, \
rebalance.time.ms, fetch.time.ms, fetch.MB.sec, fetch.nMsg.sec
2026-11-21 08:09:35:127, 2026-11-21 08:09:36:224, 47.6837, 43.4674, 500000, 455788.5141, 504, 593, 80.4110, 843170.3204
"""


class Clients(unittest.TestCase):
    def test_the_summary_of_produced_records_is_taken_and_no_interval(self):
        found = clients.parse_producer_performance(PRODUCED)
        self.assertEqual((found["records"], found["records_per_s"], found["p999_ms"]), (500000, 141723.356009, 790))

    def test_the_steady_state_stands_before_the_summary(self):
        found = clients.parse_producer_performance(PRODUCED + STEADY)
        self.assertEqual((found["records"], found["records_per_s"]), (300000, 190961.171229))

    def test_records_consumed_are_counted_without_the_time_of_joining(self):
        found = clients.parse_consumer_performance(CONSUMED)
        self.assertEqual((found["records"], found["records_per_s"]), (500000, 843170.3204))
        self.assertEqual((found["join_ms"], found["fetch_ms"]), (504, 593))

    def test_the_mean_latency_is_read_in_microseconds(self):
        out = "0\t3.2\nAvg latency: 0.4162 ms\nPercentiles: 50th = 0, 99th = 2, 99.9th = 13\n"
        self.assertEqual(
            clients.parse_end_to_end_latency(out), {"avg_us": 416.2, "p50_ms": 0, "p99_ms": 2, "p999_ms": 13}
        )

    def test_the_load_program_is_believed_on_its_last_line(self):
        self.assertEqual(clients.parse_last_line('noise\n{"records":7,"seconds":1.5}\n'), {"records": 7, "seconds": 1.5})

    def test_a_tool_that_printed_nothing_of_use_has_failed(self):
        parsers = [clients.parse_producer_performance, clients.parse_consumer_performance]
        for parse in [*parsers, clients.parse_end_to_end_latency, clients.parse_last_line]:
            with self.subTest(parse.__name__), self.assertRaises(Failed):
                parse("")
