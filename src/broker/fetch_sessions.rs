//! Fetch sessions (KIP-227): what a client fetches is remembered between its polls, so that a poll names only
//! changes and an answer holds only news. A pure cache: it reads no log and knows no clock.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::limits::FETCH_PARTITIONS_MAX;
use crate::replica::Partition;
use crate::replica::waiters::Signal;
use crate::types::{ErrorCode, Now, TopicId, TopicName};

/// The epoch of a request that ends its session, or wants none.
const FINAL_EPOCH: i32 = -1;
/// The epoch of a request that wants a new session.
const INITIAL_EPOCH: i32 = 0;

/// How a session's partitions are named: by id from Fetch version 13 on.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum TopicKey {
    /// By name.
    Name(TopicName),
    /// By id.
    Id(TopicId),
}

/// What a client asked of one partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// From which offset on.
    pub offset: i64,
    /// At most this many bytes, unless the first batch is larger.
    pub bytes_max: i32,
    /// The leader epoch that the client knows; −1 for none.
    pub current_leader_epoch: i32,
    /// The epoch of the last record that the client has; −1 for none.
    pub last_fetched_epoch: i32,
}

/// One partition of a session.
pub struct Entry {
    /// The topic.
    pub topic: TopicKey,
    /// The partition's index.
    pub partition: i32,
    /// What is asked for.
    pub wanted: Wanted,
    /// The partition, once it was found.
    pub handle: Option<Arc<Partition>>,
    /// The topic's name when it was found.
    pub name: Option<TopicName>,
    /// High watermark and log start as last sent; −1 before the first answer and after an error, so that the next
    /// good answer is sent in any case.
    pub sent: (i64, i64),
    /// Its place in the order of answers.
    position: u64,
}

/// A session's partitions.
pub struct State {
    entries: HashMap<u32, Entry>,
    tokens: HashMap<(TopicKey, i32), u32>,
    order: BTreeMap<u64, u32>,
    /// Partitions that may have something to tell.
    ready: HashSet<u32>,
    next_token: u32,
    next_position: u64,
    /// How many partitions all sessions have together.
    total: Arc<AtomicUsize>,
    /// The epoch that the next request has to carry.
    epoch: i32,
}

/// One client's session, or the partitions of one request that has no session (id 0).
pub struct Session {
    /// 0 when no client can come back to it.
    pub id: i32,
    /// Whether topics are named by id.
    pub by_id: bool,
    /// What partitions with news are told to.
    pub signal: Arc<Signal>,
    /// Beside the state, whose lock is held while records are read.
    last_used_ms: AtomicI64,
    state: Mutex<State>,
}

impl Session {
    fn new(id: i32, by_id: bool, now: Now, total: Arc<AtomicUsize>) -> Self {
        let state = State {
            entries: HashMap::new(),
            tokens: HashMap::new(),
            order: BTreeMap::new(),
            ready: HashSet::new(),
            next_token: 0,
            next_position: 0,
            total,
            epoch: 1,
        };
        Self {
            id,
            by_id,
            signal: Arc::new(Signal::default()),
            last_used_ms: AtomicI64::new(now.mono_ms),
            state: Mutex::new(state),
        }
    }

    /// The partitions, locked. Never hold it across an await.
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Adds a partition or changes what is asked of it.
    pub fn want(&mut self, topic: TopicKey, partition: i32, wanted: Wanted) {
        let key = (topic, partition);
        if let Some(token) = self.tokens.get(&key) {
            if let Some(entry) = self.entries.get_mut(token) {
                entry.wanted = wanted;
            }
            self.ready.insert(*token);
            return;
        }
        let (token, position) = (self.next_token, self.next_position);
        self.next_token = self.next_token.wrapping_add(1);
        self.next_position += 1;
        self.order.insert(position, token);
        self.ready.insert(token);
        let (topic, partition) = key.clone();
        self.tokens.insert(key, token);
        self.total.fetch_add(1, Ordering::Relaxed);
        self.entries.insert(
            token,
            Entry { topic, partition, wanted, handle: None, name: None, sent: (-1, -1), position },
        );
    }

    /// Removes a partition; its registration with the partition is the caller's to end.
    pub fn forget(&mut self, topic: TopicKey, partition: i32) -> Option<(u32, Entry)> {
        let token = self.tokens.remove(&(topic, partition))?;
        self.ready.remove(&token);
        let entry = self.entries.remove(&token)?;
        self.total.fetch_sub(1, Ordering::Relaxed);
        self.order.remove(&entry.position);
        Some((token, entry))
    }

    /// Marks partitions that were told of news.
    pub fn mark_ready(&mut self, tokens: impl IntoIterator<Item = u32>) {
        self.ready.extend(tokens);
    }

    /// Marks all partitions.
    pub fn mark_all_ready(&mut self) {
        self.ready.extend(self.entries.keys().copied());
    }

    /// The partitions that may have something to tell, in the order of answers.
    pub fn ready(&self) -> Vec<u32> {
        let mut ready: Vec<(u64, u32)> = self
            .ready
            .iter()
            .filter_map(|token| self.entries.get(token).map(|entry| (entry.position, *token)))
            .collect();
        ready.sort_unstable();
        ready.into_iter().map(|(_, token)| token).collect()
    }

    /// A partition by its number.
    pub fn entry(&mut self, token: u32) -> Option<&mut Entry> {
        self.entries.get_mut(&token)
    }

    /// The partition has nothing more to tell until it is marked again.
    pub fn settle(&mut self, token: u32) {
        self.ready.remove(&token);
    }

    /// Puts a partition that returned records at the end of the order, so that the others get their turn.
    pub fn move_to_back(&mut self, token: u32) {
        let position = self.next_position;
        if let Some(entry) = self.entries.get_mut(&token) {
            self.order.remove(&entry.position);
            entry.position = position;
            self.order.insert(position, token);
            self.next_position += 1;
        }
    }

    /// How many partitions there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

impl Drop for State {
    fn drop(&mut self) {
        self.total.fetch_sub(self.entries.len(), Ordering::Relaxed);
    }
}

/// What a request's session id and epoch ask for.
pub enum Begin {
    /// A full fetch without a session, or in a new one (whose id is 0 when the cache has no room).
    Full(Arc<Session>),
    /// The next poll of a session.
    Incremental(Arc<Session>),
}

/// All sessions.
pub struct FetchSessions {
    /// `max.incremental.fetch.session.cache.slots`.
    slots: usize,
    /// `min.incremental.fetch.session.eviction.ms`.
    eviction_ms: i64,
    sessions: Mutex<HashMap<i32, Arc<Session>>>,
    /// How many partitions all sessions have, and all requests that wait without one.
    total: Arc<AtomicUsize>,
}

impl FetchSessions {
    /// A cache of so many sessions; one that was not used for `eviction_ms` makes room for another.
    pub fn new(slots: usize, eviction_ms: i64) -> Self {
        Self { slots, eviction_ms, sessions: Mutex::new(HashMap::new()), total: Arc::default() }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<i32, Arc<Session>>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Finds or makes the session of a request. `new_id` is a random positive number for a new session.
    ///
    /// # Errors
    /// `FETCH_SESSION_ID_NOT_FOUND`, `INVALID_FETCH_SESSION_EPOCH` and `FETCH_SESSION_TOPIC_ID_ERROR`.
    pub fn begin(
        &self,
        (id, epoch): (i32, i32),
        by_id: bool,
        new_id: impl Fn() -> i32,
        now: Now,
    ) -> Result<Begin, ErrorCode> {
        if epoch == FINAL_EPOCH || epoch == INITIAL_EPOCH {
            let mut sessions = self.lock();
            sessions.remove(&id);
            if epoch == FINAL_EPOCH || self.is_full() || !self.make_room(&mut sessions, now) {
                return Ok(Begin::Full(Arc::new(Session::new(0, by_id, now, self.total.clone()))));
            }
            let mut fresh = new_id();
            while fresh <= 0 || sessions.contains_key(&fresh) {
                fresh = new_id();
            }
            let session = Arc::new(Session::new(fresh, by_id, now, self.total.clone()));
            sessions.insert(fresh, session.clone());
            return Ok(Begin::Full(session));
        }
        let session = self.lock().get(&id).cloned().ok_or(ErrorCode::FetchSessionIdNotFound)?;
        let mut state = session.state();
        if state.epoch != epoch {
            return Err(ErrorCode::InvalidFetchSessionEpoch);
        }
        if session.by_id != by_id {
            return Err(ErrorCode::FetchSessionTopicIdError);
        }
        state.epoch = if epoch == i32::MAX { 1 } else { epoch + 1 };
        session.last_used_ms.store(now.mono_ms, Ordering::Relaxed);
        drop(state);
        Ok(Begin::Incremental(session))
    }

    /// Whether all sessions, and all requests that wait without one, have as many partitions as they may have: no more
    /// sessions are made, and a request that has none does not wait.
    pub fn is_full(&self) -> bool {
        self.total.load(Ordering::Relaxed) > FETCH_PARTITIONS_MAX
    }

    /// Ends a session.
    pub fn remove(&self, id: i32) {
        self.lock().remove(&id);
    }

    /// How many sessions there are.
    pub fn len(&self) -> usize {
        self.lock().len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn make_room(&self, sessions: &mut HashMap<i32, Arc<Session>>, now: Now) -> bool {
        if sessions.len() < self.slots {
            return true;
        }
        let last_used = |session: &Session| session.last_used_ms.load(Ordering::Relaxed);
        let oldest = sessions.iter().map(|(id, session)| (last_used(session), *id)).min();
        match oldest {
            Some((used, id)) if now.mono_ms.saturating_sub(used) >= self.eviction_ms => {
                sessions.remove(&id);
                true
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(offset: i64) -> Wanted {
        Wanted { offset, bytes_max: 100, current_leader_epoch: -1, last_fetched_epoch: -1 }
    }

    fn at(mono_ms: i64) -> Now {
        Now { mono_ms, wall_ms: 0 }
    }

    fn full(begin: Begin) -> Arc<Session> {
        match begin {
            Begin::Full(session) => session,
            Begin::Incremental(_) => panic!("not a full fetch"),
        }
    }

    fn new_session(sessions: &FetchSessions, id: i32, now: Now) -> Arc<Session> {
        full(sessions.begin((0, 0), false, || id, now).unwrap_or_else(|_| panic!("refused")))
    }

    fn error(sessions: &FetchSessions, id: i32, epoch: i32, by_id: bool) -> Option<ErrorCode> {
        sessions.begin((id, epoch), by_id, || 99, at(0)).err()
    }

    #[test]
    fn a_session_is_found_by_id_and_its_epochs_follow_each_other() {
        let sessions = FetchSessions::new(2, 1000);
        assert_eq!(new_session(&sessions, 5, at(0)).id, 5);
        assert_eq!(error(&sessions, 6, 1, false), Some(ErrorCode::FetchSessionIdNotFound));
        assert_eq!(error(&sessions, 5, 2, false), Some(ErrorCode::InvalidFetchSessionEpoch));
        assert_eq!(error(&sessions, 5, 1, true), Some(ErrorCode::FetchSessionTopicIdError));
        assert_eq!(error(&sessions, 5, 1, false), None);
        assert_eq!(error(&sessions, 5, 1, false), Some(ErrorCode::InvalidFetchSessionEpoch));
        sessions.lock()[&5].state().epoch = i32::MAX;
        assert_eq!(error(&sessions, 5, i32::MAX, false), None);
        assert_eq!(error(&sessions, 5, 1, false), None);
        assert_eq!(full(sessions.begin((5, -1), false, || 9, at(0)).unwrap_or_else(|_| panic!())).id, 0);
        assert!(sessions.is_empty());
    }

    #[test]
    fn a_full_cache_gives_no_session_until_one_is_old() {
        let sessions = FetchSessions::new(1, 1000);
        new_session(&sessions, 5, at(0));
        assert_eq!(new_session(&sessions, 6, at(999)).id, 0);
        assert_eq!(new_session(&sessions, 6, at(1000)).id, 6);
        assert_eq!(sessions.len(), 1);
        assert_eq!(error(&sessions, 5, 1, false), Some(ErrorCode::FetchSessionIdNotFound));
    }

    #[test]
    fn too_many_partitions_give_no_session_until_some_are_gone() {
        let sessions = FetchSessions::new(9, 1000);
        let large = new_session(&sessions, 5, at(0));
        let topic = || TopicKey::Name("t".into());
        for partition in 0..=FETCH_PARTITIONS_MAX as i32 {
            large.state().want(topic(), partition, wanted(0));
        }
        assert_eq!(new_session(&sessions, 6, at(0)).id, 0);
        large.state().forget(topic(), 0).unwrap();
        large.state().want(topic(), 1, wanted(1));
        assert_eq!(new_session(&sessions, 7, at(0)).id, 7);
        sessions.remove(5);
        drop(large);
        assert_eq!(sessions.total.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn room_is_made_while_another_session_is_read() {
        let sessions = Arc::new(FetchSessions::new(1, 1000));
        let busy = new_session(&sessions, 5, at(0));
        let reading = busy.state();
        let (made, seen) = std::sync::mpsc::channel();
        let other = sessions.clone();
        std::thread::spawn(move || made.send(new_session(&other, 6, at(1000)).id).unwrap());
        assert_eq!(seen.recv_timeout(std::time::Duration::from_secs(10)), Ok(6));
        drop(reading);
    }

    #[test]
    fn partitions_that_returned_records_go_to_the_back() {
        let session = Session::new(0, false, at(0), Arc::default());
        let mut state = session.state();
        let topic = || TopicKey::Name("t".into());
        for partition in 0..3 {
            state.want(topic(), partition, wanted(0));
        }
        assert_eq!(state.ready(), [0, 1, 2]);
        state.move_to_back(0);
        assert_eq!(state.ready(), [1, 2, 0]);
        state.settle(2);
        assert_eq!(state.ready(), [1, 0]);
        state.want(topic(), 2, wanted(9));
        assert_eq!(state.ready(), [1, 2, 0]);
        assert_eq!(state.entry(2).unwrap().wanted.offset, 9);
        assert_eq!(state.forget(topic(), 1).unwrap().0, 1);
        assert!(state.forget(topic(), 1).is_none());
        assert_eq!((state.ready(), state.len()), (vec![2, 0], 2));
    }
}
