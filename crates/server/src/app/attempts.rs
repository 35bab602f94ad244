//! How often passwords may be guessed.
use super::problem::{Code, Problem};
use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// Failures that are remembered against an account or an address.
const WINDOW: Duration = Duration::from_secs(15 * 60);

/// Failures for one account within the window before it must wait.
const OF_ACCOUNT: usize = 5;

/// The same for one network address, behind which many people may be.
const OF_ADDRESS: usize = 30;

/// How many accounts and addresses are remembered; beyond it, those whose last failure is longest ago are forgotten.
const REMEMBERED: usize = 20_000;

/// What failures are counted against.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Whom {
    Account(String),
    Address(IpAddr),
}

/// Failed guesses of the last minutes, in memory.
#[derive(Debug, Default)]
pub struct Attempts {
    failures: Mutex<HashMap<Whom, Vec<Instant>>>,
}

impl Attempts {
    /// Whether one more guess is allowed.
    ///
    /// # Errors
    /// [`Code::TooManyAttempts`] with the seconds to wait.
    pub fn check(&self, account: &str, address: Option<IpAddr>) -> Result<(), Problem> {
        let now = Instant::now();
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        let mut wait = Duration::ZERO;
        for (whom, most) in keys(account, address) {
            if let Some(times) = failures.get_mut(&whom) {
                times.retain(|time| now.duration_since(*time) < WINDOW);
                if times.len() >= most {
                    let free = times[times.len() - most] + WINDOW;
                    wait = wait.max(free.duration_since(now));
                }
            }
        }
        if wait.is_zero() {
            return Ok(());
        }
        let seconds = wait.as_secs() + 1;
        let problem = Problem::new(Code::TooManyAttempts, "there were too many failed attempts")
            .hint(format!("try again in {} minutes", seconds.div_ceil(60)));
        Err(Problem { retry_seconds: u32::try_from(seconds).ok(), ..problem })
    }

    /// Remembers a guess that failed.
    pub fn failed(&self, account: &str, address: Option<IpAddr>) {
        let now = Instant::now();
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        if failures.len() >= REMEMBERED {
            let mut last: Vec<(Instant, Whom)> =
                failures.iter().filter_map(|(whom, times)| Some((*times.last()?, whom.clone()))).collect();
            last.sort_by_key(|(time, _)| *time);
            for (_, whom) in last.into_iter().take(REMEMBERED / 2) {
                failures.remove(&whom);
            }
        }
        for (whom, most) in keys(account, address) {
            let times = failures.entry(whom).or_default();
            times.push(now);
            let surplus = times.len().saturating_sub(most);
            times.drain(..surplus);
        }
    }

    /// Forgets the failures of an account that got in.
    pub fn succeeded(&self, account: &str) {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        failures.remove(&Whom::Account(account.trim().to_lowercase()));
    }
}

fn keys(account: &str, address: Option<IpAddr>) -> impl Iterator<Item = (Whom, usize)> {
    let account = (Whom::Account(account.trim().to_lowercase()), OF_ACCOUNT);
    [account].into_iter().chain(address.map(|address| (Whom::Address(address), OF_ADDRESS)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_must_wait_whichever_accounts_it_tries_and_others_need_not() {
        let attempts = Attempts::default();
        let here = Some(IpAddr::from([192, 0, 2, 1]));
        for guess in 0..OF_ADDRESS {
            assert!(attempts.check("ana", here).is_ok(), "{guess}");
            attempts.failed(&format!("nobody {guess}"), here);
        }
        assert_eq!(attempts.check("ana", here).unwrap_err().code, Code::TooManyAttempts);
        assert!(attempts.check("ana", Some(IpAddr::from([192, 0, 2, 2]))).is_ok());
        attempts.succeeded("ana");
        assert!(attempts.check("ana", here).is_err(), "an account of one's own does not open the others");
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let attempts = Attempts::default();
        for guess in 0..REMEMBERED * 2 {
            attempts.failed(&guess.to_string(), None);
        }
        let newest = (REMEMBERED * 2 - 1).to_string();
        let failures = attempts.failures.lock().unwrap();
        assert!(failures.len() <= REMEMBERED && failures.contains_key(&Whom::Account(newest)));
    }
}
