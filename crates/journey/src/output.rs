//! The places of events, and the rows of sessions, touchpoints, conversions and paths while they are gathered.
use crate::convert::Conversion;
use crate::input::{Event, Field, PersonRows, VISITOR};
use crate::lookback::Touch;
use crate::session::Session;
use crate::{Error, JourneyBatches};
use arrow::array::{
    ArrayRef, BooleanBuilder, Float64Builder, Int32Builder, Int64Builder, ListBuilder, RecordBatch, StringBuilder,
    TimestampMicrosecondBuilder,
};
use safar_enrich::page::canonical;
use safar_model::{Interaction, Micros, Table, bucket_of};
use std::sync::Arc;

/// The channel of a touch: what enrichment said, else a word for the kind of contact.
pub(crate) fn channel_of<'a>(source: &Event<'a>, kind: Interaction) -> &'a str {
    source.text(Field::Channel).unwrap_or(match kind {
        Interaction::Email => "Email",
        Interaction::Sms => "SMS",
        Interaction::Push => "Mobile Push",
        Interaction::Call => "Call",
        Interaction::Chat => "Chat",
        Interaction::Store => "Store",
        Interaction::Meeting => "Meeting",
        Interaction::Print => "Print",
        Interaction::Visit if source.is_direct() => "Direct",
        _ => "Unassigned",
    })
}

#[derive(Debug)]
struct Instants(TimestampMicrosecondBuilder);

impl Default for Instants {
    fn default() -> Self {
        Self(TimestampMicrosecondBuilder::new().with_timezone("UTC"))
    }
}

/// Where each event stands.
#[derive(Debug, Default)]
struct Places {
    step: Int32Builder,
    session: Int64Builder,
}

#[derive(Debug, Default)]
struct Sessions {
    id: Int64Builder,
    person: Int64Builder,
    started_at: Instants,
    ended_at: Instants,
    events: Int32Builder,
    page_views: Int32Builder,
    engaged: BooleanBuilder,
    conversions: Int32Builder,
    value: Float64Builder,
    texts: [StringBuilder; 8],
    channel: StringBuilder,
    visitor: [StringBuilder; 5],
    bucket: Int32Builder,
}

#[derive(Debug, Default)]
struct Touchpoints {
    id: Int64Builder,
    person: Int64Builder,
    at: Instants,
    session: Int64Builder,
    event: StringBuilder,
    interaction: StringBuilder,
    channel: StringBuilder,
    texts: [StringBuilder; 8],
    visitor: [StringBuilder; 5],
    bucket: Int32Builder,
}

#[derive(Debug, Default)]
struct Conversions {
    id: Int64Builder,
    person: Int64Builder,
    at: Instants,
    goal: StringBuilder,
    event: StringBuilder,
    order: StringBuilder,
    money: [Float64Builder; 3],
    currency: StringBuilder,
    bucket: Int32Builder,
}

#[derive(Debug)]
struct Paths {
    person: Int64Builder,
    at: Instants,
    goal: StringBuilder,
    conversion: Int64Builder,
    weights: [Float64Builder; 3],
    length: Int32Builder,
    open_length: i32,
    channels: ListBuilder<StringBuilder>,
    touches: ListBuilder<Int64Builder>,
    ages: ListBuilder<Int64Builder>,
    bucket: Int32Builder,
}

impl Default for Paths {
    fn default() -> Self {
        let schema = Table::Paths.schema();
        // The items' field as the table's schema has it.
        let item = |column: &str| match schema.field_with_name(column).map(|field| field.data_type().clone()) {
            Ok(arrow::datatypes::DataType::List(item)) => item,
            _ => Arc::new(arrow::datatypes::Field::new("element", arrow::datatypes::DataType::Null, true)),
        };
        Self {
            person: Int64Builder::default(),
            at: Instants::default(),
            goal: StringBuilder::default(),
            conversion: Int64Builder::default(),
            weights: <[Float64Builder; 3]>::default(),
            length: Int32Builder::default(),
            open_length: 0,
            channels: ListBuilder::new(StringBuilder::new()).with_field(item("channels")),
            touches: ListBuilder::new(Int64Builder::new()).with_field(item("touchpoint_ids")),
            ages: ListBuilder::new(Int64Builder::new()).with_field(item("ages_us")),
            bucket: Int32Builder::default(),
        }
    }
}

/// Rows not yet taken.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    places: Places,
    sessions: Sessions,
    touches: Touchpoints,
    conversions: Conversions,
    paths: Paths,
    len: usize,
}

impl Rows {
    pub fn len(&self) -> usize {
        self.len
    }

    /// The place of a person's next event, the first one's `step` being 1.
    pub fn place(&mut self, step: i32, session: Option<i64>) {
        self.len += 1;
        self.places.step.append_value(step);
        self.places.session.append_option(session);
    }

    pub fn session(&mut self, rows: PersonRows<'_>, session: &Session, id: i64) {
        self.len += 1;
        let out = &mut self.sessions;
        let source = rows.get(session.source_seq as usize);
        let page = |seq: Option<u32>| seq.and_then(|seq| rows.get(seq as usize).text(Field::PageUrl)).map(canonical);
        let (landing, exit) = (page(session.landing_seq), page(session.exit_seq));
        out.id.append_value(id);
        out.person.append_value(rows.person);
        out.started_at.0.append_value(session.started_at);
        out.ended_at.0.append_value(session.ended_at);
        out.events.append_value(session.events);
        out.page_views.append_value(session.page_views);
        out.engaged.append_value(session.is_engaged());
        out.conversions.append_value(session.conversions);
        out.value.append_value(session.value);
        let texts = [
            landing.as_deref(),
            exit.as_deref(),
            source.text(Field::Referrer),
            source.text(Field::Source),
            source.text(Field::Medium),
            source.text(Field::Campaign),
            source.text(Field::Term),
            source.text(Field::Content),
        ];
        for (builder, text) in out.texts.iter_mut().zip(texts) {
            builder.append_option(text);
        }
        out.channel.append_value(channel_of(&source, Interaction::Visit));
        let first = rows.get(session.first_seq as usize);
        for (builder, field) in out.visitor.iter_mut().zip(VISITOR) {
            builder.append_option(source.text(field).or_else(|| first.text(field)));
        }
        out.bucket.append_value(bucket_of(rows.person));
    }

    pub fn touch(&mut self, rows: PersonRows<'_>, touch: &Touch, id: i64, session: Option<i64>) {
        self.len += 1;
        let out = &mut self.touches;
        let source = rows.get(touch.source_seq as usize);
        out.id.append_value(id);
        out.person.append_value(rows.person);
        out.at.0.append_value(touch.at);
        out.session.append_option(session);
        out.event.append_value(rows.get(touch.seq as usize).id());
        out.interaction.append_value(touch.kind.as_str());
        out.channel.append_value(channel_of(&source, touch.kind));
        let fields = [
            Field::Source,
            Field::Medium,
            Field::Campaign,
            Field::Term,
            Field::Content,
            Field::ClickId,
            Field::ClickIdType,
            Field::Properties,
        ];
        let (texts, visitor) = (out.texts.iter_mut().zip(fields), out.visitor.iter_mut().zip(VISITOR));
        for (builder, field) in texts.chain(visitor) {
            builder.append_option(source.text(field));
        }
        out.bucket.append_value(bucket_of(rows.person));
    }

    pub fn conversion(&mut self, rows: PersonRows<'_>, conversion: &Conversion, goal: &str, id: i64) {
        self.len += 1;
        let out = &mut self.conversions;
        let event = rows.get(conversion.seq as usize);
        out.id.append_value(id);
        out.person.append_value(rows.person);
        out.at.0.append_value(conversion.at);
        out.goal.append_value(goal);
        out.event.append_value(event.id());
        out.order.append_option(event.text(Field::OrderId));
        let money = [conversion.gross - conversion.refunded, conversion.gross, conversion.refunded];
        for (builder, amount) in out.money.iter_mut().zip(money) {
            builder.append_value(amount);
        }
        out.currency.append_option(event.text(Field::Currency));
        out.bucket.append_value(bucket_of(rows.person));
    }

    /// Begins a path; [`Rows::step`] adds its touches and [`Rows::close_path`] ends it.
    pub fn open_path(&mut self, person: i64, at: Micros, goal: &str, conversion: Option<(&Conversion, i64)>) {
        self.len += 1;
        let out = &mut self.paths;
        out.person.append_value(person);
        out.at.0.append_value(at);
        out.goal.append_value(goal);
        out.conversion.append_option(conversion.map(|(_, id)| id));
        let weights = match conversion {
            Some((found, _)) => [f64::from(u8::from(!found.is_orphan_refund)), found.gross - found.refunded, 0.0],
            None => [0.0, 0.0, 1.0],
        };
        for (builder, weight) in out.weights.iter_mut().zip(weights) {
            builder.append_value(weight);
        }
        out.bucket.append_value(bucket_of(person));
    }

    pub fn step(&mut self, channel: &str, touch: i64, age: Micros) {
        let out = &mut self.paths;
        out.open_length += 1;
        out.channels.values().append_value(channel);
        out.touches.values().append_value(touch);
        out.ages.values().append_value(age);
    }

    pub fn close_path(&mut self) {
        let out = &mut self.paths;
        out.length.append_value(out.open_length);
        out.open_length = 0;
        out.channels.append(true);
        out.touches.append(true);
        out.ages.append(true);
    }

    /// The rows as batches.
    pub fn take(&mut self) -> Result<JourneyBatches, Error> {
        self.len = 0;
        Ok(JourneyBatches {
            places: self.places.take()?,
            sessions: self.sessions.take()?,
            touchpoints: self.touches.take()?,
            conversions: self.conversions.take()?,
            paths: self.paths.take()?,
        })
    }
}

fn batch(table: Table, columns: Vec<ArrayRef>) -> Result<RecordBatch, Error> {
    Ok(RecordBatch::try_new(table.schema(), columns)?)
}

impl Places {
    fn take(&mut self) -> Result<RecordBatch, Error> {
        let schema = Table::PersonEvents.schema();
        let schema = schema.project(&[schema.index_of("step")?, schema.index_of("session_id")?])?;
        let columns: Vec<ArrayRef> = vec![Arc::new(self.step.finish()), Arc::new(self.session.finish())];
        Ok(RecordBatch::try_new(Arc::new(schema), columns)?)
    }
}

fn texts<const N: usize>(builders: &mut [StringBuilder; N]) -> impl Iterator<Item = ArrayRef> {
    builders.iter_mut().map(|builder| Arc::new(builder.finish()) as ArrayRef)
}

fn floats<const N: usize>(builders: &mut [Float64Builder; N]) -> impl Iterator<Item = ArrayRef> {
    builders.iter_mut().map(|builder| Arc::new(builder.finish()) as ArrayRef)
}

impl Sessions {
    fn take(&mut self) -> Result<RecordBatch, Error> {
        let mut columns: Vec<ArrayRef> = vec![
            Arc::new(self.id.finish()),
            Arc::new(self.person.finish()),
            Arc::new(self.started_at.0.finish()),
            Arc::new(self.ended_at.0.finish()),
            Arc::new(self.events.finish()),
            Arc::new(self.page_views.finish()),
            Arc::new(self.engaged.finish()),
            Arc::new(self.conversions.finish()),
            Arc::new(self.value.finish()),
        ];
        columns.extend(texts(&mut self.texts));
        columns.push(Arc::new(self.channel.finish()));
        columns.extend(texts(&mut self.visitor));
        columns.push(Arc::new(self.bucket.finish()));
        batch(Table::Sessions, columns)
    }
}

impl Touchpoints {
    fn take(&mut self) -> Result<RecordBatch, Error> {
        let mut columns: Vec<ArrayRef> = vec![
            Arc::new(self.id.finish()),
            Arc::new(self.person.finish()),
            Arc::new(self.at.0.finish()),
            Arc::new(self.session.finish()),
            Arc::new(self.event.finish()),
            Arc::new(self.interaction.finish()),
            Arc::new(self.channel.finish()),
        ];
        columns.extend(texts(&mut self.texts).chain(texts(&mut self.visitor)));
        columns.push(Arc::new(self.bucket.finish()));
        batch(Table::Touchpoints, columns)
    }
}

impl Conversions {
    fn take(&mut self) -> Result<RecordBatch, Error> {
        let mut columns: Vec<ArrayRef> = vec![
            Arc::new(self.id.finish()),
            Arc::new(self.person.finish()),
            Arc::new(self.at.0.finish()),
            Arc::new(self.goal.finish()),
            Arc::new(self.event.finish()),
            Arc::new(self.order.finish()),
        ];
        columns.extend(floats(&mut self.money));
        columns.extend([Arc::new(self.currency.finish()) as ArrayRef, Arc::new(self.bucket.finish())]);
        batch(Table::Conversions, columns)
    }
}

impl Paths {
    fn take(&mut self) -> Result<RecordBatch, Error> {
        let mut columns: Vec<ArrayRef> = vec![
            Arc::new(self.person.finish()),
            Arc::new(self.at.0.finish()),
            Arc::new(self.goal.finish()),
            Arc::new(self.conversion.finish()),
        ];
        columns.extend(floats(&mut self.weights));
        columns.extend([
            Arc::new(self.length.finish()) as ArrayRef,
            Arc::new(self.channels.finish()),
            Arc::new(self.touches.finish()),
            Arc::new(self.ages.finish()),
            Arc::new(self.bucket.finish()),
        ]);
        batch(Table::Paths, columns)
    }
}
