//! Which batches of transactions compaction may drop: records of aborted transactions at once, a marker when no record
//! of its transaction is left. Fed with a log's batches in their order. Pure.

use std::collections::{BTreeMap, BTreeSet};

use crate::log::producers::Marker;
use crate::log::txn_index::AbortedTxn;
use crate::wire::batch::BatchHeader;

#[derive(Clone, Copy, Debug)]
struct Ongoing {
    txn: AbortedTxn,
    /// Whether a batch of it was met.
    has_batches: bool,
}

/// The transactions that were met so far and have not ended yet.
#[derive(Debug, Default)]
pub(crate) struct CleanedTransactions {
    committed: BTreeSet<i64>,
    aborted: BTreeMap<i64, Ongoing>,
    /// Aborted transactions that begin further on, by first offset and producer.
    waiting: BTreeMap<(i64, i64), AbortedTxn>,
    /// Entries for the transaction index of what is written.
    kept: Vec<AbortedTxn>,
}

impl CleanedTransactions {
    /// Makes aborted transactions known before their first batch is met; one that is known already is not added again.
    pub(crate) fn expect(&mut self, aborted: impl IntoIterator<Item = AbortedTxn>) {
        for txn in aborted {
            self.waiting.insert((txn.first_offset, txn.producer_id), txn);
        }
    }

    /// Takes a data batch in; tells whether it belongs to an aborted transaction and can go.
    pub(crate) fn meet_data(&mut self, header: &BatchHeader) -> bool {
        self.begin_up_to(header.last_offset());
        if !header.is_transactional() {
            return false;
        }
        if let Some(ongoing) = self.aborted.get_mut(&header.producer_id) {
            ongoing.has_batches = true;
            return true;
        }
        self.committed.insert(header.producer_id);
        false
    }

    /// Takes a control batch in; tells whether no record of its transaction is left, so that it can go once it has been
    /// kept long enough. `marker` is `None` for another control record.
    pub(crate) fn meet_marker(&mut self, header: &BatchHeader, marker: Option<Marker>) -> bool {
        self.begin_up_to(header.last_offset());
        if header.records_count == 0 {
            // Compaction emptied it before.
            return true;
        }
        match marker {
            Some(Marker { aborts: true, .. }) => match self.aborted.remove(&header.producer_id) {
                Some(Ongoing { txn, has_batches: true }) => {
                    self.kept.push(txn);
                    false
                }
                _ => true,
            },
            Some(_) => !self.committed.remove(&header.producer_id),
            None => false,
        }
    }

    /// The entries for the transaction index of the segment written since the last call.
    pub(crate) fn take_kept(&mut self) -> Vec<AbortedTxn> {
        std::mem::take(&mut self.kept)
    }

    fn begin_up_to(&mut self, offset: i64) {
        while let Some((&key, &txn)) =
            self.waiting.first_key_value().filter(|((first, _), _)| *first <= offset)
        {
            self.waiting.remove(&key);
            self.aborted.entry(txn.producer_id).or_insert(Ongoing { txn, has_batches: false });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::tests::{batch, marker, transactional};
    use crate::wire::batch::Batch;

    const ABORT: Option<Marker> = Some(Marker { aborts: true, coordinator_epoch: 0 });
    const COMMIT: Option<Marker> = Some(Marker { aborts: false, coordinator_epoch: 0 });

    fn at(batch: Batch, offset: i64) -> BatchHeader {
        BatchHeader { base_offset: offset, ..batch.header }
    }

    fn aborted(producer_id: i64, first_offset: i64, last_offset: i64) -> AbortedTxn {
        AbortedTxn { producer_id, first_offset, last_offset, last_stable_offset: last_offset + 1 }
    }

    #[test]
    fn records_of_an_aborted_transaction_go_before_its_marker_does() {
        let mut transactions = CleanedTransactions::default();
        let txn = aborted(7, 2, 6);
        transactions.expect([txn, txn]);
        assert!(!transactions.meet_data(&at(batch(0, 2), 0)));
        assert!(transactions.meet_data(&at(transactional(7, 0, 2), 2)));
        assert!(!transactions.meet_data(&at(transactional(8, 0, 2), 4)), "another producer's commits");
        transactions.expect([txn]);
        assert!(!transactions.meet_marker(&at(marker(7, 0, true), 6), ABORT));
        assert_eq!(transactions.take_kept(), [txn]);
        assert!(!transactions.meet_marker(&at(marker(8, 0, false), 7), COMMIT));
        assert!(transactions.meet_marker(&at(marker(8, 0, false), 8), COMMIT), "its records are gone");
        assert!(transactions.meet_marker(&at(marker(7, 0, true), 9), ABORT), "its records are gone");
        assert_eq!(transactions.take_kept(), []);
    }

    #[test]
    fn other_control_records_stay_and_emptied_markers_go() {
        let mut transactions = CleanedTransactions::default();
        assert!(!transactions.meet_marker(&at(marker(7, 0, true), 0), None));
        let emptied = BatchHeader { records_count: 0, ..at(marker(7, 0, true), 1) };
        assert!(transactions.meet_marker(&emptied, None));
    }
}
