//! `safar person`
use super::show;
use crate::{
    args::{Person, PersonShown},
    output::Format,
    printer::Printer,
};
use anyhow::Result;
use safar_pipeline::{
    Workspace,
    report::{self, PersonPage},
};
use std::path::Path;

pub async fn run(folder: &Path, args: &Person, printer: Printer) -> Result<()> {
    let workspace = Workspace::open(folder).await?;
    let session = report::session(&workspace).await?;
    let page = report::person(&workspace, &session, args.id).await?;
    let shown = match (args.show, args.format) {
        (Some(one), _) => vec![one],
        (None, Format::Table | Format::Markdown) => {
            use PersonShown::{Card, Conversions, Identifiers, Sessions, Timeline};
            vec![Card, Identifiers, Sessions, Conversions, Timeline]
        }
        (None, _) => vec![PersonShown::Timeline],
    };
    let headed = shown.len() > 1;
    for one in shown {
        let (head, answer) = table(&page, one);
        if headed {
            printer.result(format!("\n{head}\n\n").as_bytes())?;
        }
        show(printer, answer, args.format, None, 0)?;
    }
    Ok(())
}

fn table(page: &PersonPage, one: PersonShown) -> (&'static str, &report::Answer) {
    match one {
        PersonShown::Card => ("Person", &page.person),
        PersonShown::Identifiers => ("Identifiers", &page.identifiers),
        PersonShown::Sessions => ("Sessions", &page.sessions),
        PersonShown::Timeline => ("Timeline", &page.timeline),
        PersonShown::Conversions => ("Conversions", &page.conversions),
    }
}
