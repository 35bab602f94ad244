//! The columns of a shape, and the headers by which they go.

/// A column that a shape knows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Column {
    /// What the shape's code calls it. Keys that end in `_at`, and `date` and `end`, hold times: their order of day and month
    /// is told from a sample of them. Those of [`is_id`] hold identifiers.
    pub key: &'static str,
    /// Whether a file without it is not of the shape.
    pub needed: bool,
    /// The headers it goes by, the surest first. Case, blanks and signs do not matter; `Spent (…)` is any `Spent (EUR)`.
    pub names: &'static [&'static str],
}

/// A column that every file of the shape has.
pub(crate) const fn need(key: &'static str, names: &'static [&'static str]) -> Column {
    Column { key, needed: true, names }
}

/// A column that a file may have.
pub(crate) const fn maybe(key: &'static str, names: &'static [&'static str]) -> Column {
    Column { key, needed: false, names }
}

/// Whether two headers are the same but for case, blanks and signs.
pub(crate) fn same(one: &str, other: &str) -> bool {
    fn bare(text: &str) -> impl Iterator<Item = char> + '_ {
        text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase)
    }
    bare(one).eq(bare(other))
}

/// Whether the column of a key holds identifiers or telephone numbers, which spreadsheets take for numbers.
pub(super) fn is_id(key: &str) -> bool {
    const OTHERS: [&str; 9] = ["id", "account", "ad", "contact", "customer", "mobile", "order", "refund", "user"];
    key.ends_with("_id") || key.ends_with("phone") || OTHERS.contains(&key)
}

/// What stands in the brackets at the end of a header such as `Amount spent (EUR)`, where that is a code of three letters.
fn bracketed(header: &str) -> Option<(&str, &str)> {
    let (stem, code) = header.trim().strip_suffix(')')?.rsplit_once('(')?;
    let is_code = code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_uppercase());
    is_code.then_some((stem, code))
}

impl Column {
    /// The header of this column among `headers`, and the code in its brackets.
    fn find<'h>(&self, headers: &'h [String]) -> Option<(usize, Option<&'h str>)> {
        self.names.iter().find_map(|name| match name.strip_suffix("(…)") {
            Some(stem) => headers.iter().enumerate().find_map(|(at, header)| {
                let (found, code) = bracketed(header)?;
                same(found, stem).then_some((at, Some(code)))
            }),
            None => headers.iter().position(|header| same(header, name)).map(|at| (at, None)),
        })
    }

    /// Two headers of a needed column, where either could be meant: the same one twice, or amounts in two currencies.
    pub(crate) fn twice<'h>(&self, headers: &'h [String]) -> Option<[&'h str; 2]> {
        let (at, code) = self.find(headers).filter(|_| self.needed)?;
        let stem = |header: &'h str| match code {
            Some(_) => bracketed(header).map(|(stem, _)| stem),
            None => Some(header),
        };
        let first = stem(&headers[at])?;
        let other = headers[at + 1..].iter().find(|other| stem(other).is_some_and(|other| same(other, first)))?;
        Some([&headers[at], other])
    }

    fn is_time(&self) -> bool {
        self.key.ends_with("_at") || matches!(self.key, "date" | "end")
    }
}

/// The headers of one file, and which column of the shape each is.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sheet {
    pub headers: Vec<String>,
    /// By place in the shape's columns: the place in `headers`, and the code in its brackets.
    found: Vec<(&'static str, Option<usize>, Option<String>)>,
}

impl Sheet {
    pub(crate) fn new(columns: &[Column], headers: &[String]) -> Self {
        let found = columns.iter().map(|column| {
            let place = column.find(headers);
            (column.key, place.map(|(at, _)| at), place.and_then(|(_, code)| code.map(str::to_owned)))
        });
        Self { headers: headers.to_vec(), found: found.collect() }
    }

    /// Where a column stands; `None` where the file does not have it.
    pub(crate) fn place(&self, key: &str) -> Option<usize> {
        self.found.iter().find(|(known, ..)| *known == key).and_then(|(_, at, _)| *at)
    }

    pub(crate) fn has(&self, key: &str) -> bool {
        self.place(key).is_some()
    }

    /// The header of a column; its key where the file does not have it.
    pub(crate) fn header<'s>(&'s self, key: &'s str) -> &'s str {
        self.place(key).map_or(key, |at| &self.headers[at])
    }

    /// The code in the brackets of a column's header.
    pub(crate) fn code(&self, key: &str) -> Option<&str> {
        self.found.iter().find(|(known, ..)| *known == key).and_then(|(.., code)| code.as_deref())
    }

    /// How many of the shape's columns the file has.
    pub(crate) fn known(&self) -> usize {
        self.found.iter().filter(|(_, at, _)| at.is_some()).count()
    }

    /// Columns that are needed and absent; `given` are keys whose value the command states.
    pub(crate) fn missing<'c>(&self, columns: &'c [Column], given: &[&str]) -> Vec<&'c Column> {
        let lacks = |column: &&Column| column.needed && !self.has(column.key) && !given.contains(&column.key);
        columns.iter().filter(lacks).collect()
    }

    /// The keys of columns that hold identifiers.
    pub(crate) fn ids(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.found.iter().filter(|(key, at, _)| at.is_some() && is_id(key)).map(|(key, ..)| *key)
    }

    /// Where times stand.
    pub(crate) fn times(&self, columns: &[Column]) -> Vec<usize> {
        columns.iter().filter(|column| column.is_time()).filter_map(|column| self.place(column.key)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_found_as_vendors_write_them() {
        let columns = [need("cost", &["Amount spent (…)", "spend"]), maybe("clicks", &["Link clicks", "Clicks (all)"])];
        let headers = |text: &str| text.split('|').map(str::to_owned).collect::<Vec<_>>();
        let sheet = Sheet::new(&columns, &headers("CLICKS (ALL)|Amount spent (EUR)|link_clicks"));
        assert_eq!((sheet.place("cost"), sheet.code("cost"), sheet.place("clicks")), (Some(1), Some("EUR"), Some(2)));
        let sheet = Sheet::new(&columns, &headers("Amount spent|SPEND"));
        assert_eq!((sheet.place("cost"), sheet.code("cost"), sheet.header("clicks")), (Some(1), None, "clicks"));
        assert_eq!(Sheet::new(&columns, &headers("a|b")).missing(&columns, &[])[0].key, "cost");
        let twice = |text: &str| columns[0].twice(&headers(text)).map(|two| two.map(str::to_owned));
        assert_eq!(
            twice("Amount spent (EUR)|Amount spent (USD)"),
            Some(["EUR", "USD"].map(|c| format!("Amount spent ({c})")))
        );
        assert_eq!(twice("spend|Spend|x"), Some(["spend", "Spend"].map(str::to_owned)));
        assert_eq!((twice("spend|spend (USD)"), twice("spend")), (None, None), "beside the account's own currency");
    }
}
