//! What a crowd's shop with tills knows: a customer list with errors, and purchases on its records.
use crate::{
    Crowd, Entry, Sighting,
    dice::Dice,
    register::{spoil, typo, values},
};
use safar_model::{DAY_US, Micros};

/// Fields of [`crate::REGISTER_FIELDS`] that people of one home have in common: surname, street, town, postcode.
const OF_A_HOME: [usize; 4] = [1, 3, 4, 5];

/// The customer list of a crowd, and when its records were seen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Customers {
    /// Identifier and fields of each record.
    pub records: Vec<(String, Entry)>,
    /// Records seen with an account or an address, or alone at a till; in the order of time.
    pub sightings: Vec<Sighting>,
}

impl Crowd {
    /// The list of the shop in which this crowd buys, online and at tills.
    ///
    /// Every account has a record, with what its owner typed. Three people in ten have another one, from the till, with the
    /// errors of [`crate::Register`], and are seen at tills 3 to 12 times: as often as on a device. One in three lives with the person before,
    /// under one surname and address.
    ///
    /// Half of those at the till give an e-mail address ("more than half" accept a receipt by mail: America's Research
    /// Group in the Chicago Tribune, 30 March 2012), and one in five of these is written down wrong (the share that bounces: Experian
    /// CheetahMail, "Best Practices For Point of Sale Email Collection", 26 March 2012), in its domain.
    #[must_use]
    pub fn customers(&self) -> Customers {
        let members = self.members(&mut Dice::new(self.seed));
        // Dice of their own: the crowd's sightings are the same with the list and without.
        let mut dice = Dice::new(!self.seed);
        let span = u64::from(self.days) * DAY_US.unsigned_abs();
        let mut list = Customers::default();
        let mut neighbour = values(&mut dice);
        for (person, member) in (0_u32..).zip(members) {
            let mut own = values(&mut dice);
            if dice.chance(1.0 / 3.0) {
                OF_A_HOME.iter().for_each(|&field| own[field].clone_from(&neighbour[field]));
            }
            if member.login > 0.0 {
                let crm = format!("a{person}");
                let (user, email) = (Some(member.user), Some(member.email.clone()));
                let at = dice.below(span) as Micros;
                list.sightings.push(Sighting { at, user, email, crm: Some(crm.clone()), person, device: None });
                list.records.push((crm, Entry { values: own.clone(), person }));
            }
            if dice.chance(0.3) {
                let crm = format!("s{person}");
                let mut values = own.clone();
                spoil(&mut dice, &mut values);
                let mut email = dice.chance(0.5).then(|| told(&mut dice, &member.email));
                for _ in 0..dice.between(3, 12) {
                    let at = dice.below(span) as Micros;
                    let crm = Some(crm.clone());
                    list.sightings.push(Sighting { at, crm, email: email.take(), person, ..Sighting::default() });
                }
                list.records.push((crm, Entry { values, person }));
            }
            neighbour = own;
        }
        list.sightings.sort_by_key(|sighting| sighting.at);
        list
    }
}

/// An address as somebody at a till writes it down.
fn told(dice: &mut Dice, email: &str) -> String {
    let (name, domain) = email.split_once('@').unwrap_or((email, ""));
    let domain = if dice.chance(0.2) { typo(dice, domain.to_owned()) } else { domain.to_owned() };
    format!("{}@{}", name.to_uppercase(), domain.to_uppercase())
}
