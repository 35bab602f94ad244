//! `safar serve`
mod screen;

use crate::{args::Serve, printer::Printer};
use anyhow::{Context, Result};
use safar_pipeline::{SETTINGS_FILE, Workspace};
use safar_server::{
    app::{self, App},
    collect,
    sql::SqlServer,
};
use screen::Screen;
use std::{net::SocketAddr, path::Path, sync::Arc};
use tokio::{net::TcpListener, sync::watch};

pub async fn run(folder: &Path, args: &Serve, printer: Printer) -> Result<()> {
    let workspace = Workspace::open(folder).await?;
    let stopped = stopped()?;
    let settings = workspace.settings().server.clone();
    let application = App::open(folder, settings.clone())?;
    let (listener, address) =
        listen(args.listen.unwrap_or(settings.listen), "--listen, or `listen` of [server]").await?;
    let wanted = args.collect.unwrap_or(workspace.settings().collect.listen);
    let (collecting, collector_address) = listen(wanted, "--collect, or `listen` of [collect]").await?;
    let collector = collect::open(&workspace)?;

    printer.say(format!("the application: http://{address}"));
    if let Some(code) = application.setup_code() {
        printer.say(format!("  nobody has an account yet: make the first one there, with the code {code}"));
    }
    if !settings.secure_cookies && !address.ip().is_loopback() {
        printer.warn("others can reach this address, and logins may travel unencrypted: put a proxy that speaks HTTPS in front and set [server] secure_cookies = true");
    }
    let (stop, stopping) = watch::channel(false);
    let until = |mut stopping: watch::Receiver<bool>| async move {
        let _ = stopping.wait_for(|stop| *stop).await;
    };
    let mut sql = None;
    if let Some(settings) = &settings.sql {
        let (listener, address) = listen(settings.listen, "`listen` of [server.sql]").await?;
        let server = SqlServer::new(Arc::clone(&application), folder, settings, address)?;
        printer.say(format!("SQL: {address}, with the name and the secret of a token"));
        sql = Some(tokio::spawn(server.serve(listener, until(stopping.clone()))));
    }
    welcome(&workspace, collector_address, printer);
    printer.say("Ctrl-C stops");

    let http = tokio::spawn(app::serve(application, listener, until(stopping)));
    let screen = Arc::new(Screen::new(printer));
    let tell = {
        let screen = Arc::clone(&screen);
        Arc::new(move |news| screen.hear(news))
    };
    let stop = async {
        stopped.await;
        screen.say("stopping: what was acknowledged goes to the tables");
        stop.send_replace(true);
    };
    collect::serve(workspace, collector, collecting, stop, tell).await?;
    http.await??;
    if let Some(sql) = sql {
        sql.await?;
    }
    screen.finish();
    printer.say(format!("stopped: {}", screen.totals()));
    Ok(())
}

async fn listen(address: SocketAddr, place: &str) -> Result<(TcpListener, SocketAddr)> {
    let listener = TcpListener::bind(address).await.with_context(|| {
        format!("cannot listen on {address}: stop what does, or choose another address with {place}")
    })?;
    let address = listener.local_addr()?;
    Ok((listener, address))
}

/// Where it listens, who may send, and how to try it.
fn welcome(workspace: &Workspace, address: SocketAddr, printer: Printer) {
    printer.say(format!("collecting on http://{address}"));
    let settings = &workspace.settings().collect;
    let key = settings.sources.iter().flat_map(|source| &source.keys).next();
    for source in &settings.sources {
        let from = if source.origins.is_empty() { "any page".to_owned() } else { source.origins.join(", ") };
        printer.say(format!("  {}: keys {}; from {from}", source.name, source.keys.join(", ")));
    }
    if settings.sources.is_empty() {
        printer.say(format!(
            "  everybody may send: name your sources as [[collect.sources]] of {}",
            workspace.root().join(SETTINGS_FILE).display()
        ));
    }
    let key = key.map_or("WRITE_KEY", String::as_str);
    printer.say(format!(
        "try it: curl http://{address}/v1/track -d '{{\"writeKey\": \"{key}\", \"userId\": \"ada\", \"event\": \"Signed Up\"}}'"
    ));
    printer.say("docs/collect.md says how to point each SDK here; `safar doctor` checks");
}

/// Done once somebody wants the program to end; heard from this call on.
#[cfg(unix)]
fn stopped() -> std::io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut interrupted, mut terminated) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            _ = interrupted.recv() => {}
            _ = terminated.recv() => {}
        }
    })
}

#[cfg(not(unix))]
fn stopped() -> std::io::Result<impl Future<Output = ()>> {
    Ok(async { _ = tokio::signal::ctrl_c().await })
}
