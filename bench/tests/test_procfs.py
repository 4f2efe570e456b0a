import os
import unittest

from bench import procfs
from bench.procfs import Sample

STATUS = """Name:\tmilena
Uid:\t0\t0\t0\t0
VmHWM:\t    2048 kB
VmRSS:\t    1024 kB
Threads:\t9
SigQ:\t0/95964
voluntary_ctxt_switches:\t150
nonvoluntary_ctxt_switches:\t545
"""


class Procfs(unittest.TestCase):
    def test_cpu_seconds_are_user_and_system_of_a_process_whatever_its_name_is(self):
        stat = "12 (a (b) c) S 1 12 12 0 -1 4194560 11 22 33 44 250 150 5 6 20 0 9 0 100 1000 200"
        self.assertEqual(procfs.parse_cpu(stat, ticks=100), 4.0)

    def test_kilobytes_become_bytes_and_counts_stay(self):
        found = procfs.parse_status(STATUS)
        self.assertEqual((found["VmHWM"], found["VmRSS"], found["Threads"]), (2 << 20, 1 << 20, 9))
        self.assertEqual(found["voluntary_ctxt_switches"], 150)

    def test_switches_of_new_threads_count_and_ended_threads_are_told(self):
        before = Sample(1.0, {10: (5, 1), 11: (7, 7)})
        after = Sample(3.5, {10: (8, 2), 12: (4, 0)})
        cost = procfs.difference(before, after, 99)
        self.assertEqual((cost.cpu_s, cost.voluntary, cost.involuntary), (2.5, 7, 1))
        self.assertEqual((cost.switches, cost.ended_threads, cost.peak_rss), (8, 1, 99))

    def test_a_peak_that_is_over_is_forgotten_when_it_is_reset(self):
        block = bytearray(64 << 20)
        block[::4096] = b"x" * len(block[::4096])
        high = procfs.memory(os.getpid())["peak_rss"]
        del block
        procfs.reset_peak(os.getpid())
        self.assertLess(procfs.memory(os.getpid())["peak_rss"], high - (32 << 20))

    def test_work_of_this_process_is_seen(self):
        watch = procfs.Watch(os.getpid())
        while watch.cost().cpu_s < 0.02:
            sum(range(10_000))
        self.assertGreater(watch.cost().peak_rss, 1 << 20)
