//! People who share devices, hand them over and leave junk behind: what identity is tried on.
use crate::dice::Dice;
use safar_model::{DAY_US, Micros};

const MINUTE: Micros = 60_000_000;

/// What programs send where they know nobody.
const JUNK: [&str; 8] =
    ["null", "0", "undefined", "anonymous", "00000000-0000-0000-0000-000000000000", "-1", "guest", "\"\""];

/// A crowd whose identifiers are seen over some days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Crowd {
    /// How many people.
    pub people: u32,
    /// Over how many days.
    pub days: u32,
    /// Equal seeds give equal sightings.
    pub seed: u64,
    /// In how many of 100 cases somebody with an account takes over a device and is as likely to log in as ever; else they
    /// log in for sure.
    pub careless: u32,
}

/// Identifiers seen together on one event; raw, junk included.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sighting {
    /// When; microseconds from the first day's midnight.
    pub at: Micros,
    /// The device; none on rows of the customer system.
    pub device: Option<String>,
    /// The account.
    pub user: Option<String>,
    /// The e-mail address.
    pub email: Option<String>,
    /// The record of the customer system.
    pub crm: Option<String>,
    /// Who it really was.
    pub person: u32,
}

/// Who uses a device from when.
struct Device {
    name: String,
    users: Vec<u32>,
    /// The last of `users` has it alone from here on.
    handed_over: Option<Micros>,
}

pub(crate) struct Member {
    pub(crate) user: String,
    pub(crate) email: String,
    crm: Option<String>,
    /// How likely a visit has a login; 0 for people without an account.
    pub(crate) login: f64,
}

impl Crowd {
    /// Every sighting, in the order of time.
    ///
    /// One device in 25 is shared by two or three people throughout, one in 25 goes from one person to another half-way;
    /// one person in ten has no account, the others log in on 40 to 80 % of their visits and, but for the `careless`,
    /// whenever another used the device before. People without an account use their own devices only: on another's they would leave no trace that
    /// any method could read. One event in fifty carries a junk user id or address.
    #[must_use]
    pub fn sightings(&self) -> Vec<Sighting> {
        let mut dice = Dice::new(self.seed);
        let people = self.members(&mut dice);
        let devices = self.devices(&mut dice, &people);
        let span = Micros::from(self.days) * DAY_US;
        let mut seen = Vec::new();
        for device in &devices {
            let visits = dice.between(3, 12) * device.users.len() as i64;
            let mut starts: Vec<Micros> = (0..visits).map(|_| dice.below(span.unsigned_abs()) as Micros).collect();
            starts.sort_unstable();
            let mut before = None;
            for at in starts {
                let user = match device.handed_over {
                    Some(when) => device.users[usize::from(at >= when)],
                    None => *dice.pick(&device.users),
                };
                // Who finds another's account open logs in with their own, if they have one and care.
                let changed = before.is_some_and(|before| before != user) && people[user as usize].login > 0.0;
                // Without the careless no die is cast for them, so that crowds of earlier versions stay as they were.
                let careless = changed && self.careless > 0 && dice.chance(f64::from(self.careless) / 100.0);
                let login = changed && !careless || dice.chance(people[user as usize].login);
                visit(&mut dice, &device.name, user, &people[user as usize], (at, login), &mut seen);
                before = Some(user);
            }
        }
        for (person, member) in (0_u32..).zip(&people) {
            if let Some(crm) = &member.crm {
                let at = dice.below(span.unsigned_abs()) as Micros;
                let (crm, email) = (Some(crm.clone()), Some(member.email.to_uppercase()));
                seen.push(Sighting { at, crm, email, person, ..Sighting::default() });
            }
        }
        seen.sort_by_key(|sighting| sighting.at);
        seen
    }

    /// Everyone, from the first draws.
    pub(crate) fn members(&self, dice: &mut Dice) -> Vec<Member> {
        (0..self.people).map(|person| member(dice, person)).collect()
    }

    fn devices(&self, dice: &mut Dice, people: &[Member]) -> Vec<Device> {
        let mut devices = Vec::new();
        let span = i64::from(self.days) * DAY_US;
        let with_account: Vec<u32> = (0..self.people).filter(|&one| people[one as usize].login > 0.0).collect();
        for person in 0..self.people {
            for _ in 0..=dice.weighted(&[0.5, 0.35, 0.15]) {
                let name = format!("d-{:06}", devices.len());
                let mut users = vec![person];
                let mut handed_over = None;
                let alone = with_account.is_empty() || people[person as usize].login == 0.0;
                let fate = if alone { 1.0 } else { dice.unit() };
                let mut other = || *dice.pick(&with_account);
                if fate < 0.04 {
                    users.push(other());
                    if fate < 0.01 {
                        users.push(other());
                    }
                } else if fate < 0.08 {
                    users.push(other());
                    handed_over = Some(span / 2);
                }
                devices.push(Device { name, users, handed_over });
            }
        }
        devices
    }
}

fn member(dice: &mut Dice, person: u32) -> Member {
    Member {
        user: format!("u{person}"),
        email: format!("Person{person}@mail.example"),
        crm: dice.chance(0.3).then(|| format!("c{person}")),
        login: [0.0, 0.4, 0.6, 0.8][dice.weighted(&[0.1, 0.3, 0.3, 0.3])],
    }
}

/// A few events within minutes; a visit with a login carries the account from its first or second event on.
fn visit(
    dice: &mut Dice,
    device: &str,
    person: u32,
    member: &Member,
    (mut at, logged_in): (Micros, bool),
    seen: &mut Vec<Sighting>,
) {
    let login = dice.between(0, 1);
    for event in 0..dice.between(1, 6) {
        let device = Some(device.to_owned());
        let mut sighting = Sighting { at, device, person, ..Sighting::default() };
        if logged_in && event >= login {
            sighting.user = Some(member.user.clone());
            sighting.email = dice.chance(0.2).then(|| member.email.clone());
        } else if dice.chance(0.02) {
            sighting.user = Some((*dice.pick(&JUNK)).to_owned());
            sighting.email = dice.chance(0.5).then(|| (*dice.pick(&JUNK)).to_owned());
        }
        seen.push(sighting);
        at += dice.between(1, 5) * MINUTE;
    }
}
