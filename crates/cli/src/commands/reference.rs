//! `safar reference`: what the program says of itself, as Markdown. docs/reference holds the same pages.
use crate::{
    args::{Cli, Reference},
    printer::Printer,
};
use anyhow::{Result, bail};
use clap::{Command, CommandFactory};
use safar_attribution::{MODELS, ModelSpec, PRESETS};
use safar_model::{Table, about};
use std::fmt::Write;

const GENERATED: &str = "<!-- Written by `cargo xtask docs`: change the program, not this file. -->\n\n";

pub fn run(args: &Reference, printer: Printer) -> Result<()> {
    let page = match args.page.as_str() {
        "cli" => cli()?,
        "tables" => tables()?,
        "models" => models()?,
        "settings" => settings(),
        other => bail!("there is no page `{other}`; there are cli, tables, models, settings"),
    };
    printer.result(format!("{GENERATED}{page}").as_bytes())?;
    Ok(())
}

fn cli() -> Result<String> {
    let mut out = String::from("# Commands\n");
    let mut command = Cli::command().term_width(100);
    command.build();
    help(&mut out, &mut command)?;
    Ok(out)
}

fn help(out: &mut String, command: &mut Command) -> Result<()> {
    let name = command.get_bin_name().unwrap_or(command.get_name()).to_owned();
    let text = command.render_long_help().to_string();
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    writeln!(out, "\n## {name}\n\n```text\n{}\n```", lines.join("\n").trim_end())?;
    for sub in command.get_subcommands_mut() {
        help(out, sub)?;
    }
    Ok(())
}

fn tables() -> Result<String> {
    let mut out =
        String::from("# Tables\n\nEvery table is a Delta Lake table under `data/`, and a name in `safar sql`.\n");
    for table in Table::ALL {
        writeln!(out, "\n## {table}\n\n{}\n", about::of_table(table))?;
        writeln!(out, "| column | type | may be null | meaning |\n|---|---|---|---|")?;
        for field in table.schema().fields() {
            let null = if field.is_nullable() { "yes" } else { "" };
            writeln!(
                out,
                "| {} | {} | {null} | {} |",
                field.name(),
                kind(field.data_type()),
                about::of_column(table, field.name())
            )?;
        }
    }
    Ok(out)
}

fn kind(kind: &arrow::datatypes::DataType) -> String {
    use arrow::datatypes::DataType;
    match kind {
        DataType::Utf8 => "text".to_owned(),
        DataType::Int32 => "32-bit integer".to_owned(),
        DataType::Int64 => "64-bit integer".to_owned(),
        DataType::Float64 => "64-bit float".to_owned(),
        DataType::Boolean => "true or false".to_owned(),
        DataType::Date32 => "date".to_owned(),
        DataType::Timestamp(..) => "instant (µs, UTC)".to_owned(),
        DataType::List(item) => format!("list of {}", self::kind(item.data_type())),
        other => other.to_string(),
    }
}

fn models() -> Result<String> {
    let mut out = String::from(
        "# Attribution models\n\nSpelled `name` or `name:setting=value,setting=value`, in `--model` and in `[attribution] models`.\n",
    );
    for model in MODELS {
        writeln!(out, "\n## {}\n\n{}.", model.name, capital(model.meaning))?;
        if !model.settings.is_empty() {
            writeln!(out, "\n| setting | otherwise | meaning |\n|---|---|---|")?;
        }
        for setting in model.settings {
            writeln!(out, "| {} | {} | {} |", setting.name, setting.default, setting.meaning.replace('|', "\\|"))?;
        }
        weights(&mut out, model.name)?;
        source(&mut out, model.source, model.version)?;
    }
    out.push_str("\n# Presets\n\nA preset is a name for a model with settings. Vendors use the same words for different weights.\n");
    for preset in PRESETS {
        writeln!(out, "\n## {}\n\n`{}`.", preset.name, preset.spec)?;
        weights(&mut out, preset.name)?;
        source(&mut out, preset.source, preset.version)?;
    }
    Ok(out)
}

/// What the touches of short paths get, where the model is a rule of their places.
fn weights(out: &mut String, name: &str) -> Result<()> {
    let Ok(spec) = name.parse::<ModelSpec>() else { return Ok(()) };
    let rows: Vec<_> = (1..=5).filter_map(|touches| Some((touches, spec.weights(touches)?))).collect();
    if rows.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n| touches | weights, first to last |\n|---:|---|")?;
    for (touches, weights) in rows {
        let cells: Vec<String> = weights.iter().map(|weight| format!("{:.1} %", weight * 100.0)).collect();
        writeln!(out, "| {touches} | {} |", cells.join(", "))?;
    }
    Ok(())
}

fn source(out: &mut String, source: &str, version: &str) -> Result<()> {
    if !source.is_empty() {
        let version = if version.is_empty() { String::new() } else { format!(" (as of {version})") };
        writeln!(out, "\nSource: {source}{version}.")?;
    }
    Ok(())
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

fn settings() -> String {
    format!(
        "# Settings\n\nThe file `safar.toml` as `safar init` writes it.\n\n```toml\n{}```\n",
        safar_pipeline::TEMPLATE
    )
}
