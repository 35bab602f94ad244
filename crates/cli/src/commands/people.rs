//! `safar people`
use super::{day, lock, models, scope, show};
use crate::{
    args::{
        MatchShown, People, PeopleAct, PeopleDecision, PeopleList, PeopleMatch, PeoplePreview, PeopleWhy, PreviewShown,
    },
    output::{Format, number},
    printer::Printer,
};
use anyhow::Result;
use safar_pipeline::{
    Act, Decision, Named, Settings, Workspace, by_hand,
    privacy::{self, Audit},
    report::{self, Modelling, PathQuery},
};
use serde_json::json;
use std::path::Path;

pub async fn run(folder: &Path, args: &People, printer: Printer) -> Result<()> {
    let workspace = Workspace::open(folder).await?;
    match &args.act {
        None => list(&workspace, &args.list, printer).await,
        Some(PeopleAct::Why(args)) => why(&workspace, args, printer).await,
        Some(PeopleAct::Conflicts(args)) => {
            let session = report::session(&workspace).await?;
            show(printer, &report::conflicts(&workspace, &session).await?, args.format, None, args.limit)
        }
        Some(PeopleAct::Join(args)) => decide(&workspace, Decision::Join, args, printer).await,
        Some(PeopleAct::Split(args)) => decide(&workspace, Decision::Split, args, printer).await,
        Some(PeopleAct::Preview(args)) => preview(&workspace, args, printer).await,
        Some(PeopleAct::Match(args)) => matches(&workspace, args, printer).await,
    }
}

async fn list(workspace: &Workspace, args: &PeopleList, printer: Printer) -> Result<()> {
    let (session, scope) = (report::session(workspace).await?, scope(&args.scope)?);
    let answer = report::people(workspace, &session, &scope, args.search.as_deref(), args.limit).await?;
    show(printer, &answer, args.format, None, 0)
}

async fn why(workspace: &Workspace, args: &PeopleWhy, printer: Printer) -> Result<()> {
    let session = report::session(workspace).await?;
    let [one, other] = [&args.one, &args.other].map(|text| Named::parse(text, workspace));
    show(printer, &report::why(workspace, &session, &one?, &other?).await?, args.format, None, 0)
}

async fn decide(workspace: &Workspace, decision: Decision, args: &PeopleDecision, printer: Printer) -> Result<()> {
    let [one, other] = [&args.one, &args.other].map(|text| Named::parse(text, workspace));
    let midnight = |text: Option<&str>| -> Result<Option<i64>> {
        let zone = &workspace.settings().workspace.time_zone;
        day(text)?.map(|day| Ok(day.in_tz(zone)?.timestamp().as_microsecond())).transpose()
    };
    let act = Act {
        decision,
        ends: [one?, other?],
        at: jiff::Timestamp::now().as_microsecond(),
        note: args.note.clone(),
        from: midnight(args.from.as_deref())?,
        to: midnight(args.to.as_deref())?,
    };
    let lock = lock(workspace.store()).await?;
    let acted = by_hand(workspace, &lock, &act).await?;
    let word = match decision {
        Decision::Join => "join",
        Decision::Split => "split",
    };
    let detail = json!({ "decision": word, "people": acted.changed.len(), "conflict": acted.conflict.is_some() });
    Audit::of(workspace).add(&Audit::os_user(), privacy::Act::Decision, detail)?;
    if let Some(conflict) = acted.conflict {
        printer.warn(format!(
            "stored, but they stay two people: {}; raise the limit in [identity.namespaces], or split what is wrong",
            conflict.rule
        ));
    }
    printer.say(format!("stored; the next `safar build` changes {} people", number(acted.changed.len() as f64, 0)));
    Ok(())
}

async fn preview(workspace: &Workspace, args: &PeoplePreview, printer: Printer) -> Result<()> {
    let tried = args.settings.as_deref().map(Settings::read).transpose()?;
    let rules = &tried.as_ref().unwrap_or(workspace.settings()).identity;
    let models = models(&args.model, &workspace.settings().attribution.models);
    let modelling = Modelling { models, ..Modelling::default() };
    let query = PathQuery { goal: args.goal.clone(), ..PathQuery::default() };
    let found = report::preview(workspace, rules, &modelling, &query, args.examples).await?;
    let both = args.show == PreviewShown::Both && args.format == Format::Table;
    if args.show != PreviewShown::Credits {
        show(printer, &found.people, args.format, None, 0)?;
    }
    if both {
        printer.result(b"\n")?;
    }
    if both || args.show == PreviewShown::Credits {
        show(printer, &found.credits, args.format, None, 0)?;
    }
    let people = number(found.rebuilt as f64, 0);
    printer.say(format!("a build with these rules would rebuild {people} people; nothing was stored"));
    Ok(())
}

async fn matches(workspace: &Workspace, args: &PeopleMatch, printer: Printer) -> Result<()> {
    let session = report::session(workspace).await?;
    let found = report::matches(workspace, &session).await?;
    let answer = match args.show {
        MatchShown::Review => &found.review,
        MatchShown::Accepted => &found.accepted,
        MatchShown::Model => &found.model,
    };
    show(printer, answer, args.format, None, args.limit)?;
    if args.store {
        let lock = lock(workspace.store()).await?;
        let stored = report::store_matches(workspace, &lock, &found).await?;
        Audit::of(workspace).add(&Audit::os_user(), privacy::Act::Matches, json!({ "links": stored }))?;
        printer.say(format!("stored {} links of the kind match", number(stored as f64, 0)));
        let asked = workspace.settings().identity.min_confidence;
        if let Some(least) = found.least.filter(|least| *least < asked) {
            printer.say(format!(
                "links below `min_confidence` of [identity] join nobody, and it is {asked}: at {:.4} all of these would; \
                 `safar people preview --settings FILE` shows what that would make of people",
                (least * 10_000.0).floor() / 10_000.0
            ));
        }
    }
    Ok(())
}
