//! `safar collect`
use crate::{
    args::{Collect, Link, Replay},
    output::number,
    printer::Printer,
};
use anyhow::{Context, Result, ensure};
use safar_pipeline::{
    Workspace,
    privacy::{Act, Audit},
};
use safar_server::collect::{OPENAPI, replay, replay_kept, signed_link};
use serde_json::json;
use std::path::Path;

pub async fn run(folder: &Path, args: &Collect, printer: Printer) -> Result<()> {
    match args {
        Collect::Openapi => Ok(printer.result(OPENAPI.as_bytes())?),
        Collect::Replay(args) => again(folder, args, printer).await,
        Collect::Link(args) => link(folder, args, printer).await,
    }
}

async fn link(folder: &Path, args: &Link, printer: Printer) -> Result<()> {
    let workspace = Workspace::open(folder).await?;
    let key = workspace.settings().collect.link_key.as_deref().filter(|key| !key.is_empty());
    let key = key.context(
        "links are signed with a secret, and there is none: set link_key in [collect] of safar.toml, such as the output of `openssl rand -hex 32`, and start `safar serve` again",
    )?;
    let link = signed_link(key.as_bytes(), &args.to).with_context(|| {
        format!(
            "`{}` is no address that a link can lead on to; write it whole, such as https://shop.example/sale",
            args.to
        )
    })?;
    let mut told = String::new();
    for one in &args.tell {
        let (name, value) = one
            .split_once('=')
            .filter(|(name, _)| !name.is_empty())
            .with_context(|| format!("`{one}` is no NAME=VALUE; write it such as utm_campaign=spring"))?;
        ensure!(!matches!(name, "to" | "sig"), "`{name}` belongs to the link itself; give what you tell another name");
        told.push_str(&format!("&{}={}", encoded(name), encoded(value)));
    }
    let at = args.at.trim_end_matches('/');
    let pixel = |name: &str| {
        let query = if told.is_empty() { String::new() } else { format!("?{}", &told[1..]) };
        format!("{at}/pixel/{name}.gif{query}")
    };
    let text =
        format!("click       {at}{link}{told}\nopened      {}\nimpression  {}\n", pixel("email"), pixel("impression"));
    Ok(printer.result(text.as_bytes())?)
}

/// Text as it may stand in a query; signs of placeholders, such as braces, stars and bars, stay.
fn encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~{}*|%[]$!@:,/".contains(&byte);
    let sign = |byte: u8| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    text.bytes().map(sign).collect()
}

async fn again(folder: &Path, args: &Replay, printer: Printer) -> Result<()> {
    let workspace = Workspace::open(folder).await?;
    let lock = super::lock(workspace.store()).await?;
    let count = |rows: u64| number(rows as f64, 0);
    let kept = if args.kept { Some(replay_kept(&workspace, &lock).await?) } else { None };
    let done = replay(&workspace, &lock).await?;
    let detail = json!({
        "letters": done.letters,
        "stored": done.stored,
        "kept": kept.as_ref().map(|kept| json!({ "replaced": kept.replaced, "stored": kept.stored })),
    });
    Audit::of(&workspace).add(&Audit::os_user(), Act::Replay, detail)?;
    if let Some(kept) = kept {
        printer.say(format!(
            "kept requests of {} segments read again: {} events in the place of {}, {} that are no events",
            count(kept.segments),
            count(kept.stored),
            count(kept.replaced),
            count(kept.rejected)
        ));
        if kept.untold > 0 {
            printer.say(format!(
                "{} requests are not kept, because their visitors refused that or were erased, or are of a day whose secret is forgotten: their events stay as they are",
                count(kept.untold)
            ));
        }
    }
    printer.say(format!(
        "{} dead letters read again: {} new events, {} already there, {} rejected again by the import",
        count(done.letters),
        count(done.stored),
        count(done.duplicates),
        count(done.rejected)
    ));
    for (reason, letters) in &done.kept {
        printer.say(format!("{} stay in `rejects`: {reason}", count(*letters)));
    }
    Ok(())
}
