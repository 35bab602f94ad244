//! Erasing records of a published segment: their bytes become zeros, so that the places of all others stay the same.
use super::{
    Entry, LogError,
    folder::{disk, sync_names},
    frame::{Entries, HEADER, head, read_header},
    segment::create,
};
use crate::reader;
use std::{fs, path::Path};

/// Puts zeros in the place of those records of a segment, and of its damaged parts, for which `gone` holds; how many there were.
/// The file is replaced by another one, durably, and only if there are any. Only for segments that were published: which parts
/// a segment falls into depends on what its records hold.
///
/// # Errors
/// When the disk says no; the segment is as it was then.
pub fn blank(path: &Path, gone: impl FnMut(Entry<'_>) -> bool) -> Result<u64, LogError> {
    blank_to(path, path, gone)
}

/// As [`blank`], where the segment goes to another place, which is made only if there is anything to blank.
pub(super) fn blank_to(path: &Path, to: &Path, mut gone: impl FnMut(Entry<'_>) -> bool) -> Result<u64, LogError> {
    let mut bytes = fs::read(path).map_err(disk("read", path))?;
    let mut found = vec![];
    match read_header(&bytes) {
        Some((salt, _)) => {
            for entry in (Entries { salt, bytes: &bytes, at: HEADER }) {
                if is_blank(entry) || !gone(entry) {
                    continue;
                }
                found.push(match entry {
                    Entry::Record { at, payload } => {
                        let zeros = vec![0; payload.len()];
                        (at, [head(&salt, &zeros).as_slice(), &zeros].concat())
                    }
                    Entry::Damaged { at, bytes } | Entry::Torn { at, bytes } => (at, vec![0; bytes.len()]),
                });
            }
        }
        None => {
            let whole = Entry::Torn { at: 0, bytes: &bytes };
            if !is_blank(whole) && gone(whole) {
                found.push((0, vec![0; bytes.len()]));
            }
        }
    }
    if found.is_empty() {
        return Ok(0);
    }
    for (at, blank) in &found {
        bytes[*at..at + blank.len()].copy_from_slice(blank);
    }
    let draft = to.with_extension("new");
    create(&draft).and_then(|mut sink| sink.write(&bytes).and_then(|()| sink.sync())).map_err(disk("write", &draft))?;
    // How long it is kept counts from its last request, not from now.
    let written = fs::metadata(path).and_then(|about| about.modified()).map_err(disk("read", path))?;
    let keep = fs::File::options().write(true).open(&draft).and_then(|draft| draft.set_modified(written));
    keep.map_err(disk("write", &draft))?;
    fs::rename(&draft, to).map_err(disk("replace", to))?;
    let folder = to.parent().unwrap_or(to);
    sync_names(folder).map_err(disk("sync", folder))?;
    Ok(found.len() as u64)
}

fn is_blank(entry: Entry<'_>) -> bool {
    let (Entry::Record { payload: bytes, .. } | Entry::Damaged { bytes, .. } | Entry::Torn { bytes, .. }) = entry;
    reader::is_blank(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::{Segment, frame::header};
    use proptest::{collection::vec, prelude::*};

    #[test]
    fn what_is_blanked_is_as_old_as_before() {
        let (folder, salt) = (tempfile::tempdir().unwrap(), *b"any salt");
        let path = folder.path().join("000001.log");
        fs::write(&path, [header(&salt, 7).as_slice(), &head(&salt, b"gone"), b"gone"].concat()).unwrap();
        let old = std::time::SystemTime::now() - std::time::Duration::from_secs(6 * 86_400);
        fs::File::options().write(true).open(&path).unwrap().set_modified(old).unwrap();
        assert_eq!(blank(&path, |_| true).unwrap(), 1);
        assert_eq!(fs::metadata(&path).unwrap().modified().unwrap(), old);
    }

    proptest! {
        #[test]
        fn what_is_blanked_is_gone_and_all_else_stays(payloads in vec(vec(1_u8.., 1..24), 1..6), chosen in vec(any::<bool>(), 6), damage: Option<prop::sample::Index>) {
            let salt = *b"any salt";
            let mut bytes = header(&salt, 7).to_vec();
            let mut places = vec![];
            for payload in &payloads {
                places.push(bytes.len());
                bytes.extend(head(&salt, payload));
                bytes.extend(payload);
            }
            if let Some(damage) = damage {
                let at = HEADER + damage.index(bytes.len() - HEADER);
                bytes[at] ^= 1;
            }
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("000001.log");
            fs::write(&path, &bytes).unwrap();
            let before: Vec<(usize, Vec<u8>)> = parts(&Segment::read(&path).unwrap());
            let is_gone = |at: usize| places.iter().position(|place| *place == at).is_some_and(|number| chosen[number]);
            let count = blank(&path, |entry| is_gone(entry.at())).unwrap();
            prop_assert_eq!(count, before.iter().filter(|(at, _)| is_gone(*at)).count() as u64);
            prop_assert_eq!(fs::metadata(&path).unwrap().len(), bytes.len() as u64);
            let after = parts(&Segment::read(&path).unwrap());
            for (at, payload) in before {
                let now = after.iter().find(|(other, _)| *other == at).map(|(_, payload)| payload.clone());
                let wanted = if is_gone(at) { vec![0; payload.len()] } else { payload };
                prop_assert_eq!(now, Some(wanted), "{}", at);
            }
            prop_assert_eq!(blank(&path, |_| false).unwrap(), 0);
            prop_assert_eq!(blank(&path, |entry| is_gone(entry.at())).unwrap(), 0, "what is blank stays so");
        }
    }

    fn parts(segment: &Segment) -> Vec<(usize, Vec<u8>)> {
        let bytes = |entry: Entry<'_>| match entry {
            Entry::Record { payload: bytes, .. } | Entry::Damaged { bytes, .. } | Entry::Torn { bytes, .. } => {
                bytes.to_vec()
            }
        };
        segment.entries().map(|entry| (entry.at(), bytes(entry))).collect()
    }
}
