//! Finds the columns by name.
use super::Problem;
use arrow_schema::Schema;

/// The names that the caller gave; a column without a given name is looked for under the names of path files.
pub struct ColumnNames {
    /// Of the touches.
    pub path: Option<String>,
    /// Of the conversions.
    pub conversions: Option<String>,
    /// Of their value.
    pub value: Option<String>,
    /// Of those who did not convert.
    pub nulls: Option<String>,
    /// Of the ages of the touches.
    pub ages: Option<String>,
    /// Of the people.
    pub person: Option<String>,
}

/// A column that was found.
pub struct Column {
    pub index: usize,
    pub name: String,
}

/// All that were found.
pub struct Columns {
    pub path: Column,
    pub conversions: Column,
    pub value: Option<Column>,
    pub nulls: Option<Column>,
    pub ages: Option<Column>,
    pub person: Option<Column>,
}

/// A column that is looked for.
pub struct Wanted<'a> {
    /// The name that the caller gave.
    pub given: Option<&'a str>,
    /// Where none is given: the names that it may have.
    pub usual: &'a [&'a str],
    /// Whether it must be there.
    pub needed: bool,
}

impl Wanted<'_> {
    pub fn find(&self, schema: &Schema) -> Result<Option<Column>, Problem> {
        if self.needed {
            needed(schema, self.given, self.usual).map(Some)
        } else {
            find(schema, self.given, self.usual)
        }
    }
}

impl Columns {
    pub fn find(schema: &Schema, names: &ColumnNames) -> Result<Self, Problem> {
        let find = |given: &Option<String>, usual: &[&str]| find(schema, given.as_deref(), usual);
        let needed = |given: &Option<String>, usual: &[&str]| needed(schema, given.as_deref(), usual);
        Ok(Self {
            path: needed(&names.path, &["path"])?,
            conversions: needed(&names.conversions, &["total_conversions", "conversions"])?,
            value: find(&names.value, &["total_conversion_value", "conversion_value", "value"])?,
            nulls: find(&names.nulls, &["total_null", "null", "nulls"])?,
            ages: find(&names.ages, &["ages"])?,
            person: find(&names.person, &["person"])?,
        })
    }
}

/// A given name must be there as it is; of the usual ones, case aside, there may be one.
fn find(schema: &Schema, given: Option<&str>, usual: &[&str]) -> Result<Option<Column>, Problem> {
    let is_it = |name: &str| match given {
        Some(given) => name == given,
        None => usual.contains(&name.to_ascii_lowercase().as_str()),
    };
    let mut found = schema.fields().iter().enumerate().filter(|(_, field)| is_it(field.name()));
    match (found.next(), found.next(), given) {
        (Some((index, field)), None, _) => Ok(Some(Column { index, name: field.name().clone() })),
        (Some(_), Some(_), _) => {
            let name = given.unwrap_or(usual[0]);
            Err(Problem::table(format!("more than one column means `{name}`; name the column, or drop the others")))
        }
        (None, _, Some(given)) => Err(missing(schema, given, "check its name")),
        (None, _, None) => Ok(None),
    }
}

pub fn needed(schema: &Schema, given: Option<&str>, usual: &[&str]) -> Result<Column, Problem> {
    find(schema, given, usual)?.ok_or_else(|| missing(schema, usual[0], "name the column that holds it"))
}

fn missing(schema: &Schema, name: &str, hint: &str) -> Problem {
    let names: Vec<_> = schema.fields().iter().map(|field| field.name().as_str()).collect();
    Problem::table(format!("no column `{name}` among `{}`; {hint}", names.join(", ")))
}
