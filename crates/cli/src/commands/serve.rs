//! `safar serve`
use crate::{args::Serve, printer::Printer};
use anyhow::{Context, Result};
use safar_pipeline::Workspace;
use safar_server::{
    app::{self, App},
    sql::SqlServer,
};
use std::{net::SocketAddr, path::Path, sync::Arc};
use tokio::{net::TcpListener, sync::watch};

pub async fn run(folder: &Path, args: &Serve, printer: Printer) -> Result<()> {
    let workspace = Workspace::open(folder).await?;
    let settings = workspace.settings().server.clone();
    let application = App::open(folder, settings.clone())?;
    let (listener, address) = listen(args.listen.unwrap_or(settings.listen)).await?;
    printer.say(format!("the application: http://{address}"));
    if let Some(code) = application.setup_code() {
        printer.say(format!("nobody has an account yet: make the first one there, with the code {code}"));
    }
    if !settings.secure_cookies && !address.ip().is_loopback() {
        printer.warn("others can reach this address, and logins may travel unencrypted: put a proxy that speaks HTTPS in front and set [server] secure_cookies = true");
    }
    let (stop, stopped) = watch::channel(false);
    let until = |mut stopped: watch::Receiver<bool>| async move {
        let _ = stopped.wait_for(|stop| *stop).await;
    };
    let mut sql = None;
    if let Some(settings) = &settings.sql {
        let (listener, address) = listen(settings.listen).await?;
        let server = SqlServer::new(Arc::clone(&application), folder, settings, address)?;
        printer.say(format!("SQL: {address}, with the name and the secret of a token"));
        sql = Some(tokio::spawn(server.serve(listener, until(stopped.clone()))));
    }
    let http = tokio::spawn(app::serve(application, listener, until(stopped)));
    signal().await?;
    printer.say("stopping");
    stop.send_replace(true);
    http.await??;
    if let Some(sql) = sql {
        sql.await?;
    }
    Ok(())
}

async fn listen(address: SocketAddr) -> Result<(TcpListener, SocketAddr)> {
    let listener = TcpListener::bind(address).await.with_context(|| {
        format!("cannot listen on {address}; stop what does, or name another address with --listen or in safar.toml")
    })?;
    let address = listener.local_addr()?;
    Ok((listener, address))
}

/// Waits until somebody wants the program to end.
async fn signal() -> Result<()> {
    #[cfg(unix)]
    {
        let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
        tokio::select! {
            _ = terminate.recv() => Ok(()),
            pressed = tokio::signal::ctrl_c() => Ok(pressed?),
        }
    }
    #[cfg(not(unix))]
    Ok(tokio::signal::ctrl_c().await?)
}
