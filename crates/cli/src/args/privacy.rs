//! Commands about what is known of people.
use crate::output::Format;
use clap::Args;
use std::path::PathBuf;

/// Who is meant: any number of these.
#[derive(Debug, Args)]
#[group(id = "who", required = true, multiple = true)]
pub struct Who {
    /// The number of a person, as `safar people` prints it.
    #[arg(value_name = "PERSON")]
    pub person: Vec<i64>,
    /// Whoever has this e-mail address; repeats.
    #[arg(long, value_name = "ADDRESS")]
    pub email: Vec<String>,
    /// Whoever has an identifier, such as user=ada, phone="+354 555 1234" or crm=17; repeats.
    #[arg(long, value_name = "NAMESPACE=VALUE")]
    pub id: Vec<String>,
}

#[derive(Debug, Args)]
pub struct Export {
    #[command(flatten)]
    pub who: Who,
    /// A file that ends in .json for one document; otherwise a folder, made for a file of each kind and a summary.
    #[arg(long, value_name = "FILE|FOLDER")]
    pub out: PathBuf,
}

#[derive(Debug, Args)]
pub struct Erase {
    #[command(flatten)]
    pub who: Who,
    /// Only count what would go.
    #[arg(long)]
    pub dry_run: bool,
    /// Do not ask.
    #[arg(long)]
    pub yes: bool,
}

#[derive(Debug, Args)]
pub struct AuditArgs {
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

#[derive(Debug, Args)]
pub struct Retain {
    /// Only count what would go.
    #[arg(long)]
    pub dry_run: bool,
}
