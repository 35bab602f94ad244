//! What most tools do about identity, to compare with.
use std::collections::BTreeMap;

/// Connected components of identifiers: the person of each event, where events that share an identifier, directly or
/// through others, are one person. An event has at least one identifier; one without is nobody else's.
pub fn components<T: Ord>(events: impl IntoIterator<Item = Vec<T>>) -> Vec<i64> {
    let (mut numbers, mut parent, mut first) = (BTreeMap::new(), Vec::new(), Vec::new());
    for identifiers in events {
        let fresh = parent.len();
        parent.push(fresh);
        first.push(fresh);
        for identifier in identifiers {
            let number = *numbers.entry(identifier).or_insert(fresh);
            let (a, b) = (root(&mut parent, fresh), root(&mut parent, number));
            parent[a.max(b)] = a.min(b);
        }
    }
    first.into_iter().map(|event| root(&mut parent, event) as i64).collect()
}

fn root(parent: &mut [usize], mut at: usize) -> usize {
    while parent[at] != at {
        parent[at] = parent[parent[at]];
        at = parent[at];
    }
    at
}

#[cfg(test)]
mod tests {
    use super::components;

    #[test]
    fn a_chain_of_shared_identifiers_is_one_person() {
        let events = [vec!["device", "ada"], vec!["other"], vec!["mail", "ada"], vec!["mail"], vec![]];
        assert_eq!(components(events), [0, 1, 0, 0, 4]);
    }
}
