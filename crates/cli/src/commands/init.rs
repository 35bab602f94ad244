//! `safar init`
use crate::{args::Init, printer::Printer};
use anyhow::Result;
use safar_pipeline::{SETTINGS_FILE, Workspace};

pub async fn run(args: &Init, printer: Printer) -> Result<()> {
    Workspace::init(&args.folder, args.sample).await?;
    let folder = args.folder.display();
    printer.say(format!(
        "made the workspace {folder}: settings in {}, tables in {}",
        args.folder.join(SETTINGS_FILE).display(),
        args.folder.join("data").display()
    ));
    printer.say(format!("next: safar --workspace {folder} import FILES… && safar --workspace {folder} build"));
    Ok(())
}
