//! Derived columns again from the raw ones, when the rules have changed.
use super::{sink::GIVEN, visitor};
use arrow::{
    array::{Array, ArrayRef, AsArray, RecordBatch, StringArray, StringBuilder},
    error::ArrowError,
};
use safar_enrich::{CachedEnricher, Touch};
use safar_model::Interaction;
use std::sync::Arc;

/// Events whose source, medium, campaign and channel are those of today's rules; `None` where nothing changes.
///
/// What the input gave explicitly stays: the import keeps it in `properties` under the keys of [`GIVEN`]. What is known of
/// visitors stays, too; what is not is filled in from the agent and the network that `properties` keep.
///
/// # Errors
/// When `batch` lacks a column of `events`.
pub fn reenrich(batch: &RecordBatch, enricher: &mut CachedEnricher<'_>) -> Result<Option<RecordBatch>, ArrowError> {
    let column = |name: &str| -> Result<&StringArray, ArrowError> {
        let array = batch.column_by_name(name).and_then(|array| array.as_string_opt::<i32>());
        array.ok_or_else(|| ArrowError::SchemaError(format!("events have no text column `{name}`")))
    };
    let [page_url, referrer, click_id, click_type, interaction, properties] =
        ["page_url", "referrer", "click_id", "click_id_type", "interaction", "properties"].map(column);
    let (page_url, referrer, click_id, click_type, interaction, properties) =
        (page_url?, referrer?, click_id?, click_type?, interaction?, properties?);
    let mut utm = Vec::with_capacity(5);
    for name in ["utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content"] {
        utm.push(column(name)?);
    }
    // In the order of GIVEN.
    let derived = [column("campaign")?, column("channel")?, column("medium")?, column("source")?];
    let mut builders: [Option<StringBuilder>; 4] = [None, None, None, None];
    let rows = batch.num_rows();
    for row in 0..rows {
        let given = if properties.is_valid(row) { given_of(properties.value(row)) } else { Default::default() };
        let kind = if interaction.is_valid(row) {
            interaction.value(row).parse().unwrap_or(Interaction::None)
        } else {
            Interaction::None
        };
        let sourced = given.iter().any(Option::is_some)
            || utm.iter().chain([&page_url, &referrer, &click_id]).any(|array| array.is_valid(row));
        let fresh: [Option<String>; 4] = if kind == Interaction::None && !sourced {
            [None, None, None, None]
        } else {
            let view = |array: &StringArray| array.is_valid(row);
            let enriched = enricher.enrich(&Touch {
                page_url: view(page_url).then(|| page_url.value(row)),
                referrer: view(referrer).then(|| referrer.value(row)),
                utm_source: view(utm[0]).then(|| utm[0].value(row)),
                utm_medium: view(utm[1]).then(|| utm[1].value(row)),
                utm_campaign: view(utm[2]).then(|| utm[2].value(row)),
                utm_term: view(utm[3]).then(|| utm[3].value(row)),
                utm_content: view(utm[4]).then(|| utm[4].value(row)),
                click_id: view(click_id).then(|| click_id.value(row)),
                click_id_type: view(click_type).then(|| click_type.value(row)),
                source: given[3].as_deref(),
                medium: given[2].as_deref(),
                interaction: kind,
            });
            let [campaign, channel, medium, source] = given;
            [
                campaign.or_else(|| enriched.campaign().map(str::to_owned)),
                Some(channel.unwrap_or_else(|| enriched.channel.to_string())),
                Some(medium.unwrap_or_else(|| enriched.medium.to_string())),
                Some(source.unwrap_or_else(|| enriched.source.to_string())),
            ]
        };
        for ((builder, old), new) in builders.iter_mut().zip(derived).zip(&fresh) {
            let new = new.as_deref().filter(|text| !text.is_empty());
            let before = old.is_valid(row).then(|| old.value(row));
            if builder.is_none() && before != new {
                let mut made = StringBuilder::with_capacity(rows, old.value_data().len());
                (0..row).for_each(|row| made.append_option(old.is_valid(row).then(|| old.value(row))));
                *builder = Some(made);
            }
            if let Some(builder) = builder {
                builder.append_option(new);
            }
        }
    }
    let visitors = visitor::filled(batch, enricher.enricher().visitors())?;
    if builders.iter().all(Option::is_none) && visitors.is_empty() {
        return Ok(None);
    }
    let schema = batch.schema();
    let mut columns = batch.columns().to_vec();
    for (name, column) in visitors {
        columns[schema.index_of(name)?] = column;
    }
    for (name, builder) in ["campaign", "channel", "medium", "source"].into_iter().zip(builders) {
        if let Some(mut builder) = builder {
            columns[schema.index_of(name)?] = Arc::new(builder.finish()) as ArrayRef;
        }
    }
    RecordBatch::try_new(schema, columns).map(Some)
}

/// The values that the input gave explicitly.
fn given_of(properties: &str) -> [Option<String>; 4] {
    if !properties.contains("\"$given_") {
        return Default::default();
    }
    let object: serde_json::Value = serde_json::from_str(properties).unwrap_or_default();
    GIVEN.map(|name| object.get(name).and_then(serde_json::Value::as_str).map(str::to_owned))
}
