//! Who is compared, by what.
use super::MatchError;
use hashbrown::HashMap;

/// Records with named fields, each record named by an identifier.
#[derive(Clone, Debug, Default)]
pub struct Records {
    fields: Vec<String>,
    columns: Vec<Column>,
    namespaces: Vec<String>,
    /// Number of the namespace, and the identifier.
    ids: Vec<(u32, String)>,
}

/// The values of one field; equal values have one number.
#[derive(Clone, Debug, Default)]
pub(super) struct Column {
    texts: Vec<String>,
    numbers: HashMap<String, u32>,
    /// By record: number of the value + 1, 0 for none.
    rows: Vec<u32>,
    /// By value: how many records have it.
    counts: Vec<u32>,
}

impl Records {
    /// No records yet, with these fields.
    #[must_use]
    pub fn new<T: Into<String>>(fields: impl IntoIterator<Item = T>) -> Self {
        let fields: Vec<String> = fields.into_iter().map(Into::into).collect();
        let columns = fields.iter().map(|_| Column::default()).collect();
        Self { fields, columns, namespaces: Vec::new(), ids: Vec::new() }
    }

    /// Adds a record: an identifier, and a value for each field. Blanks around values are dropped, capitals do not
    /// matter, an empty value is none.
    ///
    /// # Errors
    /// When there are more or fewer values than fields, or too many records.
    pub fn push(&mut self, namespace: &str, identifier: &str, values: &[Option<&str>]) -> Result<(), MatchError> {
        if values.len() != self.fields.len() {
            return Err(MatchError::Values {
                identifier: identifier.to_owned(),
                values: values.len(),
                fields: self.fields.len(),
            });
        }
        if self.ids.len() >= u32::MAX as usize - 1 {
            return Err(MatchError::Full);
        }
        let number = self.namespaces.iter().position(|known| known == namespace).unwrap_or_else(|| {
            self.namespaces.push(namespace.to_owned());
            self.namespaces.len() - 1
        });
        self.ids.push((number as u32, identifier.to_owned()));
        for (column, value) in self.columns.iter_mut().zip(values) {
            column.push(value.map(str::trim).filter(|value| !value.is_empty()));
        }
        Ok(())
    }

    /// How many records there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// The names of the fields.
    #[must_use]
    pub fn fields(&self) -> &[String] {
        &self.fields
    }

    /// Namespace and identifier of a record, by its number in the order of [`Records::push`].
    #[must_use]
    pub fn id(&self, record: u32) -> (&str, &str) {
        let (namespace, identifier) = &self.ids[record as usize];
        (&self.namespaces[*namespace as usize], identifier)
    }

    pub(super) fn namespaces(&self) -> usize {
        self.namespaces.len()
    }

    pub(super) fn namespace(&self, record: u32) -> usize {
        self.ids[record as usize].0 as usize
    }

    pub(super) fn column(&self, field: &str) -> Result<&Column, MatchError> {
        let place = self.fields.iter().position(|known| known == field);
        place
            .map(|place| &self.columns[place])
            .ok_or_else(|| MatchError::Field { field: field.to_owned(), known: self.fields.join(", ") })
    }
}

impl Column {
    fn push(&mut self, value: Option<&str>) {
        let Some(value) = value.map(str::to_lowercase) else { return self.rows.push(0) };
        let fresh = self.texts.len() as u32;
        let number = *self.numbers.entry_ref(value.as_str()).or_insert(fresh);
        if number == fresh {
            self.texts.push(value);
            self.counts.push(0);
        }
        self.counts[number as usize] += 1;
        self.rows.push(number + 1);
    }

    /// The number of a record's value.
    pub(super) fn value(&self, record: u32) -> Option<u32> {
        self.rows[record as usize].checked_sub(1)
    }

    pub(super) fn text(&self, value: u32) -> &str {
        &self.texts[value as usize]
    }

    pub(super) fn texts(&self) -> &[String] {
        &self.texts
    }

    /// The share of records with this value among those with any.
    pub(super) fn frequency(&self, value: u32) -> f64 {
        f64::from(self.counts[value as usize]) / self.present()
    }

    fn present(&self) -> f64 {
        self.counts.iter().map(|&count| f64::from(count)).sum()
    }

    /// The probability that two different records, both with a value, have the same; `None` where fewer than two have.
    pub(super) fn agreement(&self) -> Option<f64> {
        let pairs = |n: f64| n * (n - 1.0) / 2.0;
        let all = pairs(self.present());
        (all > 0.0).then(|| self.counts.iter().map(|&count| pairs(f64::from(count))).sum::<f64>() / all)
    }
}
