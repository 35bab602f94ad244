//! How often passwords may be guessed.
//!
//! A guess is reserved before it is looked at, and taken back when it was right: guesses that are under way count, so that many at
//! once are no more than many in a row. Failures count against three things: an account from one network, which is the tight limit
//! and locks out nobody elsewhere; a network, whichever accounts it tries; and, loosely and for long, an account wherever the
//! guesses come from, except from networks its owner got in from before.
use super::{
    accounts::digest,
    problem::{Code, Problem},
    reason::Reason,
};
use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};
use tokio::sync::Notify;

/// How many failures are allowed within how long.
struct Limit {
    most: usize,
    window: Duration,
}

const QUARTER: Duration = Duration::from_secs(15 * 60);

/// For one account from one network.
const HERE: Limit = Limit { most: 5, window: QUARTER };

/// For one network, behind which many people may be.
const NETWORK: Limit = Limit { most: 30, window: QUARTER };

/// For one account from everywhere: what many networks together may guess (NIST SP 800-63B allows 100 in a row).
const ANYWHERE: Limit = Limit { most: 100, window: Duration::from_secs(24 * 3600) };

/// How many of these are remembered; beyond it, those whose last failure is longest ago are forgotten.
const REMEMBERED: usize = 20_000;

/// What is guessed at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    /// The password of an account.
    Password,
    /// The code of the first account.
    SetUp,
    /// A token at the SQL server.
    Sql,
}

impl Door {
    /// As the audit log calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::SetUp => "set-up",
            Self::Sql => "sql",
        }
    }
}

/// What failures are counted against. Names are kept as digests: whatever somebody types takes as little room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Whom {
    Here([u8; 32]),
    Network(IpAddr),
    Anywhere([u8; 32]),
}

impl Whom {
    fn limit(&self) -> Limit {
        match self {
            Self::Here(_) => HERE,
            Self::Network(_) => NETWORK,
            Self::Anywhere(_) => ANYWHERE,
        }
    }
}

#[derive(Debug, Default)]
struct Record {
    /// Oldest first, no more than the limit.
    failures: Vec<Instant>,
    under_way: usize,
}

#[derive(Debug, Default)]
struct Kept {
    records: HashMap<Whom, Record>,
    /// Accounts and networks together from which somebody got in, and when last.
    known: HashMap<[u8; 32], Instant>,
}

/// Failed guesses, in memory.
#[derive(Debug, Default)]
pub struct Attempts {
    kept: Mutex<Kept>,
    ended: Notify,
}

/// A guess that is under way. Dropped, it has failed: also when whoever made it does not wait for the answer.
#[derive(Debug)]
pub struct Attempt<'a> {
    attempts: &'a Attempts,
    /// The account and the network together.
    here: [u8; 32],
    whom: Vec<Whom>,
    failed: bool,
}

impl Attempts {
    /// Reserves one more guess. While as many are under way as may still fail, waits until one of them has ended.
    ///
    /// # Errors
    /// [`Code::TooManyAttempts`] with the seconds to wait.
    pub async fn begin(&self, door: Door, name: &str, address: Option<IpAddr>) -> Result<Attempt<'_>, Problem> {
        let network = address.map(network);
        let account = format!("{} {}", door.name(), name.trim().to_lowercase());
        let here = digest(&format!("{} {account}", network.map_or_else(String::new, |network| network.to_string())));
        loop {
            // Made before looking, so that what ends in between is not missed.
            let ended = self.ended.notified();
            let mut whom = vec![Whom::Here(here)];
            whom.extend(network.map(Whom::Network));
            if !self.kept().known.contains_key(&here) {
                whom.push(Whom::Anywhere(digest(&account)));
            }
            if self.reserve(&whom)? {
                return Ok(Attempt { attempts: self, here, whom, failed: true });
            }
            ended.await;
        }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether there was room for a guess, which is then under way.
    fn reserve(&self, whom: &[Whom]) -> Result<bool, Problem> {
        let now = Instant::now();
        let mut kept = self.kept();
        let (mut wait, mut is_free) = (Duration::ZERO, true);
        for whom in whom {
            let Limit { most, window } = whom.limit();
            let Some(record) = kept.records.get_mut(whom) else { continue };
            record.failures.retain(|time| now.duration_since(*time) < window);
            if let Some(at) = record.failures.len().checked_sub(most) {
                wait = wait.max((record.failures[at] + window).duration_since(now));
            }
            is_free &= record.failures.len() + record.under_way < most;
        }
        if !wait.is_zero() {
            let seconds = wait.as_secs() + 1;
            let problem = Problem::new(Code::TooManyAttempts, "there were too many failed attempts")
                .hint(format!("try again in {} minutes", seconds.div_ceil(60)))
                .because(Reason::TooManyAttempts { minutes: seconds.div_ceil(60) });
            return Err(Problem { retry_seconds: u32::try_from(seconds).ok(), ..problem });
        }
        if is_free {
            kept.make_room();
            for whom in whom {
                kept.records.entry(*whom).or_default().under_way += 1;
            }
        }
        Ok(is_free)
    }
}

impl Kept {
    /// Forgets the oldest half of what is remembered when it is too much; what is under way stays.
    fn make_room(&mut self) {
        if self.records.len() + 3 > REMEMBERED {
            let idle = self.records.iter().filter(|(_, record)| record.under_way == 0);
            let mut idle: Vec<_> = idle.map(|(whom, record)| (record.failures.last().copied(), *whom)).collect();
            idle.sort_by_key(|(time, _)| *time);
            for (_, whom) in idle.into_iter().take(REMEMBERED / 2) {
                self.records.remove(&whom);
            }
        }
        if self.known.len() >= REMEMBERED {
            let mut known: Vec<_> = self.known.iter().map(|(here, time)| (*time, *here)).collect();
            known.sort_unstable();
            for (_, here) in known.into_iter().take(REMEMBERED / 2) {
                self.known.remove(&here);
            }
        }
    }
}

impl Attempt<'_> {
    /// The guess was right: the account's failures from this network are forgotten, and the network is known from now on.
    pub fn succeeded(mut self) {
        self.failed = false;
        let mut kept = self.attempts.kept();
        kept.known.insert(self.here, Instant::now());
        if let Some(record) = kept.records.get_mut(&Whom::Here(self.here)) {
            record.failures.clear();
        }
    }

    /// It was no guess after all.
    pub fn withdrawn(mut self) {
        self.failed = false;
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        let now = Instant::now();
        let mut kept = self.attempts.kept();
        for whom in &self.whom {
            let Some(record) = kept.records.get_mut(whom) else { continue };
            record.under_way = record.under_way.saturating_sub(1);
            if self.failed {
                record.failures.push(now);
                let surplus = record.failures.len().saturating_sub(whom.limit().most);
                record.failures.drain(..surplus);
            }
            if record.failures.is_empty() && record.under_way == 0 {
                kept.records.remove(whom);
            }
        }
        drop(kept);
        self.attempts.ended.notify_waiters();
    }
}

/// What one household or server has: an address of IPv4, 64 bits of IPv6.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    };

    fn at(address: [u8; 4]) -> Option<IpAddr> {
        Some(address.into())
    }

    async fn fail(attempts: &Attempts, name: &str, address: Option<IpAddr>) {
        drop(attempts.begin(Door::Password, name, address).await.unwrap());
    }

    async fn is_refused(attempts: &Attempts, name: &str, address: Option<IpAddr>) -> bool {
        match attempts.begin(Door::Password, name, address).await {
            Ok(attempt) => {
                attempt.withdrawn();
                false
            }
            Err(problem) => problem.code == Code::TooManyAttempts,
        }
    }

    #[tokio::test]
    async fn a_network_must_wait_whichever_accounts_it_tries_and_others_need_not() {
        let attempts = Attempts::default();
        let here = at([192, 0, 2, 1]);
        for guess in 0..NETWORK.most {
            assert!(!is_refused(&attempts, "ana", here).await, "{guess}");
            fail(&attempts, &format!("nobody {guess}"), here).await;
        }
        assert!(is_refused(&attempts, "ana", here).await);
        assert!(!is_refused(&attempts, "ana", at([192, 0, 2, 2])).await);
    }

    #[tokio::test]
    async fn strangers_lock_out_nobody_elsewhere_and_not_for_long_even_together() {
        let attempts = Attempts::default();
        let home = at([198, 51, 100, 7]);
        attempts.begin(Door::Password, "Ana ", home).await.unwrap().succeeded();
        for guess in 0..HERE.most {
            assert!(!is_refused(&attempts, "ana", at([192, 0, 2, 1])).await, "{guess}");
            fail(&attempts, "ana", at([192, 0, 2, 1])).await;
        }
        assert!(is_refused(&attempts, "ana", at([192, 0, 2, 1])).await);
        assert!(!is_refused(&attempts, "ana", home).await);
        // Many networks together reach the wide limit, which holds for all but the owner's.
        for guess in HERE.most..ANYWHERE.most {
            fail(&attempts, "ana", at([192, 0, 3, guess as u8])).await;
        }
        assert!(is_refused(&attempts, "ana", at([203, 0, 113, 1])).await);
        assert!(!is_refused(&attempts, "ana", home).await, "the owner still gets in");
        assert!(!is_refused(&attempts, "ben", at([203, 0, 113, 1])).await);
    }

    #[tokio::test]
    async fn a_network_of_ipv6_is_one_whichever_of_its_addresses_is_used() {
        let attempts = Attempts::default();
        let of = |last: u16| Some(IpAddr::from([0x2001, 0xdb8, 0, 1, 9, 9, 9, last]));
        for guess in 0..HERE.most as u16 {
            fail(&attempts, "ana", of(guess)).await;
        }
        assert!(is_refused(&attempts, "ana", of(99)).await);
        assert!(!is_refused(&attempts, "ana", Some(IpAddr::from([0x2001, 0xdb8, 0, 2, 9, 9, 9, 9]))).await);
        let mapped = Some(IpAddr::from([0, 0, 0, 0, 0, 0xffff, 0xc000, 0x201]));
        assert_eq!(mapped.map(network), at([192, 0, 2, 1]));
    }

    /// A thousand guesses at once, each looked at for a while: no more than in a row.
    #[tokio::test(flavor = "multi_thread")]
    async fn guesses_at_once_are_no_more_than_guesses_in_a_row() {
        let (attempts, looked_at) = (Arc::new(Attempts::default()), Arc::new(AtomicUsize::new(0)));
        let guesses: Vec<_> = (0..1000)
            .map(|_| {
                let (attempts, looked_at) = (Arc::clone(&attempts), Arc::clone(&looked_at));
                tokio::spawn(async move {
                    if let Ok(attempt) = attempts.begin(Door::Password, "ana", at([192, 0, 2, 1])).await {
                        looked_at.fetch_add(1, Ordering::SeqCst);
                        tokio::time::sleep(Duration::from_millis(20)).await;
                        drop(attempt);
                    }
                })
            })
            .collect();
        for guess in guesses {
            guess.await.unwrap();
        }
        assert_eq!(looked_at.load(Ordering::SeqCst), HERE.most);
    }

    /// Many right ones at once all get in: some wait for others.
    #[tokio::test(flavor = "multi_thread")]
    async fn right_guesses_at_once_wait_for_each_other() {
        let attempts = Arc::new(Attempts::default());
        let logins: Vec<_> = (0..100)
            .map(|_| {
                let attempts = Arc::clone(&attempts);
                tokio::spawn(async move {
                    let attempt = attempts.begin(Door::Password, "ana", at([192, 0, 2, 1])).await.unwrap();
                    tokio::time::sleep(Duration::from_millis(1)).await;
                    attempt.succeeded();
                })
            })
            .collect();
        for login in logins {
            login.await.unwrap();
        }
        assert!(!is_refused(&attempts, "ana", at([192, 0, 2, 1])).await);
    }

    #[tokio::test]
    async fn what_is_remembered_is_bounded() {
        let attempts = Attempts::default();
        for guess in 0..REMEMBERED {
            fail(&attempts, &guess.to_string(), None).await;
            attempts.begin(Door::Password, &format!("right {guess}"), None).await.unwrap().succeeded();
        }
        let kept = attempts.kept();
        assert!(kept.records.len() <= REMEMBERED && kept.known.len() <= REMEMBERED);
        drop(kept);
        for _ in 1..HERE.most {
            fail(&attempts, &(REMEMBERED - 1).to_string(), None).await;
        }
        assert!(is_refused(&attempts, &(REMEMBERED - 1).to_string(), None).await, "the newest are remembered");
    }
}
