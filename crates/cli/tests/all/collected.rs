//! `safar serve` as clients and people meet it: killed, cut off, beside other writers; nothing acknowledged is lost or doubled.
use crate::{Shop, shared, shop};
use safar_collect::{Request, Terms, decode, route};
use std::{
    collections::BTreeSet,
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::Mutex,
    thread::sleep,
    time::{Duration, Instant},
};

pub const TOKEN: &str = "TOKEN32TOKEN32TOKEN32TOKEN32TOKE";

/// A workspace whose collector publishes every second and builds journeys as often; `more` goes below `[collect]`.
pub fn collecting(more: &str) -> Shop {
    let shop = shop();
    let path = shop.path("shop/safar.toml");
    let text = fs::read_to_string(&path).unwrap();
    let collect = format!("[collect]\nbuild_seconds = 1\n{more}\n[collect.log]\nsegment_seconds = 1\n");
    let (before, after) = text.split_once("[collect] ").unwrap();
    let after = &after[after.find('\n').unwrap()..];
    fs::write(path, format!("{before}{collect}{after}")).unwrap();
    shop
}

/// A running `safar serve`; killed when it is dropped.
pub struct Server {
    child: Child,
    pub address: SocketAddr,
}

impl Server {
    pub fn start(shop: &Shop) -> Self {
        Self::run(shop, Command::new(crate::program()))
    }

    /// Writes beyond a limit on files fail as on a full disk, and do not end the process.
    fn start_limited(shop: &Shop) -> Self {
        let mut shell = Command::new("sh");
        shell.args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\""]).arg(crate::program());
        Self::run(shop, shell)
    }

    /// From now on files may grow to so many bytes.
    fn limit(&self, bytes: &str) {
        let limit = format!("--fsize={bytes}:unlimited");
        let done = Command::new("prlimit").args(["--pid", &self.child.id().to_string(), &limit]).status().unwrap();
        assert!(done.success());
    }

    fn run(shop: &Shop, mut program: Command) -> Self {
        let mut child = program
            .current_dir(shop.folder.path())
            .args(["-C", "shop", "serve", "--listen", "127.0.0.1:0", "--collect", "127.0.0.1:0"])
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
        let mut server = Self { child, address: SocketAddr::from(([127, 0, 0, 1], 0)) };
        let address = said.find_map(|line| line.strip_prefix("collecting on http://").map(str::to_owned));
        server.address = address.expect("it says where it listens").parse().unwrap();
        std::thread::spawn(move || said.for_each(drop));
        server
    }

    /// SIGKILL.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGTERM, and its end.
    pub fn stop(mut self) -> ExitStatus {
        Command::new("kill").arg(self.child.id().to_string()).status().unwrap();
        self.child.wait().unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sends bytes as they are; the status of the answer, or nothing where there was none.
pub fn send(address: SocketAddr, bytes: &[u8]) -> Option<u16> {
    let mut stream = TcpStream::connect(address).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(60))).ok()?;
    stream.write_all(bytes).ok()?;
    let mut head = [0; 12];
    stream.read_exact(&mut head).ok()?;
    std::str::from_utf8(&head[9..]).ok()?.parse().ok()
}

pub fn post(address: SocketAddr, path: &str, body: &str) -> Option<u16> {
    let length = body.len();
    send(address, format!("POST {path} HTTP/1.1\r\nHost: t\r\nContent-Length: {length}\r\n\r\n{body}").as_bytes())
}

fn batch(ids: &[String]) -> String {
    let event = |id: &String| {
        format!(
            r#"{{"type":"track","event":"e","messageId":"{id}","userId":"u-{}","properties":{{"n":1.5}}}}"#,
            id.len()
        )
    };
    format!(r#"{{"batch":[{}]}}"#, ids.iter().map(event).collect::<Vec<_>>().join(","))
}

/// Waits for what a query answers.
pub fn until(shop: &Shop, query: &str, answer: &str) {
    let began = Instant::now();
    while shop.sql(query) != answer {
        assert!(began.elapsed() < Duration::from_secs(60), "{query}: {} and not {answer}", shop.sql(query));
        sleep(Duration::from_millis(200));
    }
}

/// Sends batches, every third one twice and some of them later again, until the server is gone. Returns what was acknowledged.
fn load(address: SocketAddr, name: &str, acknowledged: &Mutex<BTreeSet<String>>) {
    let mut earlier: Vec<Vec<String>> = vec![];
    for round in 0.. {
        let ids: Vec<String> = (0..7).map(|at| format!("{name}-{round}-{at}")).collect();
        for _ in 0..1 + usize::from(round % 3 == 0) {
            match post(address, "/v1/batch", &batch(&ids)) {
                Some(200) => acknowledged.lock().unwrap().extend(ids.iter().cloned()),
                Some(status) => assert_eq!(status, 503),
                None => return,
            }
        }
        if round % 10 == 9 {
            _ = post(address, "/v1/batch", &batch(&earlier[round / 2]));
        }
        earlier.push(ids);
    }
}

fn ids(shop: &Shop) -> Vec<String> {
    shop.sql("select event_id from events order by 1").lines().map(str::to_owned).collect()
}

#[test]
fn killed_under_load_every_acknowledged_event_is_in_the_tables_once() {
    let (shop, acknowledged) = (collecting(""), Mutex::new(BTreeSet::new()));
    for (life, pause) in [1_300, 2_200, 700, 3_100].into_iter().enumerate() {
        let server = Server::start(&shop);
        let address = server.address;
        std::thread::scope(|scope| {
            for client in 0..3 {
                let acknowledged = &acknowledged;
                scope.spawn(move || load(address, &format!("{life}-{client}"), acknowledged));
            }
            sleep(Duration::from_millis(pause));
            server.kill();
        });
        if life == 1 {
            cut_off_a_commit(&shop.path("shop/data/events/_delta_log"));
        }
    }
    assert!(Server::start(&shop).stop().success());
    let stored = ids(&shop);
    let distinct: BTreeSet<String> = stored.iter().cloned().collect();
    let acknowledged = acknowledged.into_inner().unwrap();
    assert!(acknowledged.len() > 1_000, "{}", acknowledged.len());
    assert_eq!(stored.len(), distinct.len(), "nothing is stored twice");
    assert_eq!(acknowledged.difference(&distinct).next(), None, "of {}", acknowledged.len());
    assert_eq!(shop.sql("select count(*) from rejects"), "0");
    let waiting = fs::read_dir(shop.path("shop/collect")).unwrap().filter(|entry| {
        let about = entry.as_ref().unwrap();
        about.path().extension().is_some_and(|kind| kind == "log") && about.metadata().unwrap().len() > 28
    });
    assert_eq!(waiting.count(), 0, "a server that was stopped leaves nothing in the log");
}

/// What a power cut may leave: the next entry of the table's log, broken off.
fn cut_off_a_commit(log: &Path) {
    let entries = fs::read_dir(log).unwrap().map(|entry| entry.unwrap().path());
    let last: PathBuf = entries.filter(|path| path.extension().is_some_and(|kind| kind == "json")).max().unwrap();
    let number: u64 = last.file_stem().unwrap().to_str().unwrap().parse().unwrap();
    let bytes = fs::read(&last).unwrap();
    fs::write(log.join(format!("{:020}.json", number + 1)), &bytes[..bytes.len() / 2]).unwrap();
}

/// A power cut in the middle of commits: the next entry of every table's log is broken off, and so is the draft of the
/// decision about several tables.
#[test]
fn commits_that_broke_off_are_made_again() {
    let shop = collecting("");
    let body = |number: u32| {
        format!(
            r#"{{"batch":[{{"type":"dance","n":{number}}},{{"type":"identify","userId":"u{number}","anonymousId":"a{number}","messageId":"i{number}"}},{{"type":"track","event":"e","userId":"u{number}","messageId":"t{number}"}}]}}"#
        )
    };
    let counts = |shop: &Shop| {
        ["events", "rejects", "identity_links"].map(|table| shop.sql(&format!("select count(*) from {table}")))
    };
    let server = Server::start(&shop);
    assert_eq!(post(server.address, "/v1/batch", &body(1)), Some(200));
    assert!(server.stop().success());
    assert_eq!(counts(&shop), ["2", "1", "1"]);

    let server = Server::start(&shop);
    assert_eq!(post(server.address, "/v1/batch", &body(2)), Some(200));
    server.kill();
    let mut cut = 0;
    for table in fs::read_dir(shop.path("shop/data")).unwrap().map(|entry| entry.unwrap().path()) {
        if table.join("_delta_log").is_dir() {
            cut_off_a_commit(&table.join("_delta_log"));
            cut += 1;
        }
    }
    assert!(cut >= 3, "{cut}");
    fs::write(shop.path("shop/data/commit.tmp"), b"{\"key\":{\"writer\":\"collect\",\"id\":\"").unwrap();
    let server = Server::start(&shop);
    assert_eq!(post(server.address, "/v1/batch", &body(3)), Some(200));
    assert!(server.stop().success());
    assert_eq!(counts(&shop), ["6", "3", "3"]);
    assert_eq!(shop.sql("select count(distinct event_id), count(distinct user_id) from events"), "6,3");
}

#[test]
fn a_full_disk_delays_what_was_acknowledged_and_loses_nothing() {
    let shop = collecting("");
    let server = Server::start_limited(&shop);
    let ids = |name: &str| -> Vec<String> { (0..3).map(|at| format!("{name}-{at}")).collect() };
    assert_eq!(post(server.address, "/v1/batch", &batch(&ids("before"))), Some(200));
    until(&shop, "select count(*) from events", "3");
    // Small requests still fit into the log; nothing fits into the tables.
    server.limit("1500");
    assert_eq!(post(server.address, "/v1/batch", &batch(&ids("full"))), Some(200));
    let large: Vec<String> = (0..40).map(|at| format!("large-{at}")).collect();
    assert_eq!(post(server.address, "/v1/batch", &batch(&large)), Some(503), "the log is full as well");
    let began = Instant::now();
    let doctor = || {
        let output = shop.safar(&["-C", "shop", "doctor"]).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    sleep(Duration::from_millis(2_500));
    assert_eq!(shop.sql("select count(*) from events"), "3");
    server.limit("unlimited");
    assert_eq!(post(server.address, "/v1/batch", &batch(&large)), Some(200), "{}", doctor());
    until(&shop, "select count(*), count(distinct event_id) from events", "46,46");
    assert_eq!(shop.sql("select count(*) from rejects"), "0");
    while doctor().contains("the last try failed") {
        assert!(began.elapsed() < Duration::from_secs(60), "{}", doctor());
        sleep(Duration::from_millis(200));
    }
    assert!(server.stop().success());
}

/// Files of captured requests, preflights left out, with the numbers of events and of dead letters in each.
fn captured() -> Option<Vec<(PathBuf, Vec<u8>, [usize; 2])>> {
    let mut out = vec![];
    for client in fs::read_dir(shared("fixtures/sdk")?).unwrap().map(|entry| entry.unwrap().path()) {
        for file in fs::read_dir(client).into_iter().flatten().map(|entry| entry.unwrap().path()) {
            if file.extension().is_some_and(|kind| kind == "http") && !file.to_string_lossy().contains("OPTIONS") {
                let bytes = fs::read(&file).unwrap();
                let held = held(&bytes);
                out.push((file, bytes, held));
            }
        }
    }
    out.sort();
    Some(out)
}

/// How many events and dead letters a request holds.
fn held(bytes: &[u8]) -> [usize; 2] {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    let head = std::str::from_utf8(&bytes[..end]).unwrap();
    let mut lines = head.split("\r\n");
    let mut first = lines.next().unwrap().split(' ');
    let (method, target) = (first.next().unwrap(), first.next().unwrap());
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let headers: Vec<(&str, &[u8])> =
        lines.filter_map(|line| line.split_once(": ")).map(|(name, value)| (name, value.as_bytes())).collect();
    let received_at = jiff::Timestamp::now().as_microsecond();
    let request = Request {
        method,
        path,
        query,
        headers: &headers,
        body: &bytes[end + 4..],
        remote: None,
        https: false,
        received_at,
    };
    let terms = Terms { matomo_token: Some(TOKEN), ..Terms::default() };
    let decoded = decode(route(method, path).unwrap(), &request, &terms).unwrap();
    [decoded.events.len(), decoded.rejects.len()]
}

#[test]
fn every_captured_request_is_in_the_tables() {
    let Some(requests) = captured() else { return };
    let shop = collecting(&format!("matomo_token = \"{TOKEN}\""));
    let server = Server::start(&shop);
    for (file, bytes, _) in &requests {
        let status = send(server.address, bytes).unwrap();
        assert!((200..300).contains(&status), "{}: {status}", file.display());
    }
    assert!(server.stop().success());
    let sum = |at: usize| requests.iter().map(|(.., held)| held[at]).sum::<usize>();
    let (expected, letters) = (sum(0), sum(1));
    assert_eq!(
        shop.sql("select count(*) from rejects"),
        letters.to_string(),
        "{}",
        shop.sql("select reason, raw from rejects")
    );
    assert!(expected > 100, "{expected}");
    assert_eq!(shop.sql("select count(*), count(distinct event_id) from events"), format!("{expected},{expected}"));
    // What clients say arrives: the same order of many of them, with its worth.
    let orders = shop.sql("select count(*), min(value), max(value) from events where order_id = 'o-1001'");
    let (count, worth) = orders.split_once(',').unwrap();
    assert!(count.parse::<u32>().unwrap() >= 15 && worth == "129.9,129.9", "{orders}");
    shop.safar(&["-C", "shop", "build"]).assert().success();
    assert!(shop.sql("select count(*) from conversions").parse::<u32>().unwrap() > 0);
}

#[test]
fn journeys_follow_and_others_may_write_meanwhile() {
    let shop = collecting("");
    let server = Server::start(&shop);
    let order = r#"{"userId":"ada","event":"Order Completed","messageId":"m1","properties":{"order_id":"o1","revenue":"12.5"}}"#;
    assert_eq!(post(server.address, "/v1/track", order), Some(200));
    until(&shop, "select order_id, value from conversions", "o1,12.5");
    let lock = fs::OpenOptions::new().read(true).write(true).open(shop.path("shop/data/.lock")).unwrap();
    lock.lock().unwrap();
    // The same order again, and another one: both are acknowledged while somebody else writes.
    assert_eq!(post(server.address, "/v1/track", order), Some(200));
    let other = order.replace("m1", "m2").replace("o1", "o2");
    assert_eq!(post(server.address, "/v1/track", &other), Some(200));
    sleep(Duration::from_millis(2_500));
    assert_eq!(ids(&shop), ["m1"]);
    drop(lock);
    until(&shop, "select count(*) from conversions", "2");
    assert!(server.stop().success());
    assert_eq!(ids(&shop), ["m1", "m2"]);
}

#[test]
fn a_resent_event_is_the_one_that_came_first() {
    let shop = collecting("");
    let told = |event: &str, time: &str| {
        format!(r#"{{"userId":"ada","event":"{event}","messageId":"m","timestamp":"2026-11-0{time}T10:00:00Z"}}"#)
    };
    for (event, time) in [("first", "2"), ("second", "1"), ("third", "3")] {
        let server = Server::start(&shop);
        assert_eq!(post(server.address, "/v1/track", &told(event, time)), Some(200));
        assert!(server.stop().success());
    }
    assert_eq!(shop.sql("select name, occurred_at from events"), "first,2026-11-02T10:00:00Z");
    assert_eq!(shop.sql("select count(*) from rejects"), "0");
}

#[test]
fn dead_letters_keep_their_reason_and_are_read_again() {
    let shop = collecting("");
    let server = Server::start(&shop);
    let old = "/matomo.php?idsite=1&rec=1&url=https%3A%2F%2Fa.example%2F&cdt=2026-03-01%2010%3A00%3A00";
    let get = format!("GET {old}&_id=0123456789abcdef&token_auth={TOKEN} HTTP/1.1\r\nHost: t\r\n\r\n");
    assert_eq!(send(server.address, get.as_bytes()), Some(200));
    assert_eq!(post(server.address, "/v1/batch", r#"{"batch":["#), Some(400));
    let mixed = r#"{"batch":[{"type":"dance"},{"type":"track","event":"e","messageId":"m","userId":"u"}]}"#;
    assert_eq!(post(server.address, "/v1/batch", mixed), Some(200));
    assert!(server.stop().success());
    assert_eq!(shop.sql("select count(*) from events"), "1");
    let reasons = shop.sql("select reason from rejects order by 1");
    assert!(
        reasons.contains("token_auth") && reasons.contains("no JSON") && reasons.contains("type of a message"),
        "{reasons}"
    );
    assert!(shop.sql("select raw from rejects where reason like '%type of a message%'").contains("dance"));

    // Nothing has changed: nothing changes.
    shop.safar(&["-C", "shop", "collect", "replay"]).assert().success();
    assert_eq!(shop.sql("select reason from rejects order by 1"), reasons);
    let path = shop.path("shop/safar.toml");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace("[collect]\n", &format!("[collect]\nmatomo_token = \"{TOKEN}\"\n"))).unwrap();
    for _ in 0..2 {
        shop.safar(&["-C", "shop", "collect", "replay"]).assert().success();
        assert_eq!(shop.sql("select count(*) from rejects"), "2");
        let page = shop.sql("select page_url, occurred_at, anonymous_id from events where page_url is not null");
        assert_eq!(page, "https://a.example/,2026-03-01T10:00:00Z,0123456789abcdef");
    }
    let audit = shop.output(&["-C", "shop", "audit", "--format", "csv"]);
    let acts = |act: &str| audit.lines().filter(|line| line.contains(&format!(",{act},"))).count();
    assert_eq!(acts("replay"), 3, "{audit}");
    assert!(acts("download") > 3 && audit.contains(r#"""what"":""sql"""#), "questions in SQL: {audit}");
}

#[test]
fn a_link_leads_on_and_is_counted() {
    let shop = collecting("");
    let refused = shop.safar(&["-C", "shop", "collect", "link", "https://shop.example/"]).output().unwrap();
    assert!(!refused.status.success());
    assert!(String::from_utf8_lossy(&refused.stderr).contains("set link_key"), "{refused:?}");

    let shop = collecting("link_key = \"secret of the links\"");
    let server = Server::start(&shop);
    let at = format!("http://{}", server.address);
    let to = "https://shop.example/sale?utm_source=letter";
    let made = |more: &[&str]| {
        let args = [&["-C", "shop", "collect", "link", to, "--at", &at], more].concat();
        let output = shop.safar(&args).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        text.lines().map(|line| line.rsplit(' ').next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let placeholder = made(&["--tell", "user_id={{ id }}"]);
    assert!(placeholder[0].ends_with("&user_id={{%20id%20}}"), "{placeholder:?}");
    let [click, opened, seen]: [String; 3] =
        made(&["--tell", "user_id=ada", "--tell", "utm_campaign=für alle"]).try_into().unwrap();
    for (link, status) in [(&click, 302), (&opened, 200), (&seen, 200)] {
        let target = link.strip_prefix(&at).unwrap();
        let get = format!("GET {target} HTTP/1.1\r\nHost: t\r\n\r\n");
        assert_eq!(send(server.address, get.as_bytes()), Some(status), "{link}");
    }
    assert!(server.stop().success());
    let events = shop.sql("select name, user_id, utm_campaign, interaction from events order by name");
    assert_eq!(
        events,
        "ad_impression,ada,für alle,impression\nclick,ada,für alle,click\nemail_open,ada,für alle,email"
    );
}

#[test]
fn the_doctor_asks_the_tables() {
    let shop = collecting("");
    let server = Server::start(&shop);
    let sent = |id: u32, sent: &str| {
        format!(r#"{{"userId":"u","event":"e","messageId":"m{id}","timestamp":"{sent}","sentAt":"{sent}"}}"#)
    };
    let now = jiff::Timestamp::now().to_string();
    for id in 0..8 {
        assert_eq!(post(server.address, "/v1/track", &sent(id, &now)), Some(200));
    }
    for id in 8..10 {
        assert_eq!(post(server.address, "/v1/track", &sent(id, "2026-01-01T00:00:00Z")), Some(200));
    }
    let mixed =
        r#"{"batch":[{"type":"dance"},{"type":"sing"},{"type":"track","event":"e","messageId":"x","userId":"u"}]}"#;
    assert_eq!(post(server.address, "/v1/batch", mixed), Some(200));
    assert!(server.stop().success());
    let output = shop.safar(&["-C", "shop", "doctor"]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("2 of 10 events of the last day") && text.contains("set its clock by NTP"), "{text}");
    assert!(text.contains("2 × the type of a message is not known") && text.contains("collect replay"), "{text}");
}

#[test]
fn the_doctor_says_what_is_wrong() {
    let shop =
        collecting("[[collect.sources]]\nname = \"web\"\nkeys = [\"k\"]\norigins = [\"https://shop.example\"]\n");
    let said = |shop: &Shop| {
        let output = shop.safar(&["-C", "shop", "doctor"]).output().unwrap();
        (output.status.success(), String::from_utf8(output.stdout).unwrap())
    };
    let (well, text) = said(&shop);
    assert!(!well && text.contains("it never ran") && text.contains("safar serve"), "{text}");
    let server = Server::start(&shop);
    let event = |key: &str| format!(r#"{{"writeKey":"{key}","userId":"u","event":"e"}}"#);
    assert_eq!(post(server.address, "/v1/track", &event("k")), Some(200));
    let began = Instant::now();
    while !said(&shop).1.contains("`web`: 1 requests") {
        assert!(began.elapsed() < Duration::from_secs(30), "{}", said(&shop).1);
    }
    let (well, text) = said(&shop);
    assert!(well && !text.contains("BAD"), "{text}");
    assert_eq!(post(server.address, "/v1/track", &event("stranger")), Some(401));
    while said(&shop).0 {
        assert!(began.elapsed() < Duration::from_secs(30), "{}", said(&shop).1);
    }
    assert!(said(&shop).1.contains("the key `stranger`"), "{}", said(&shop).1);
    assert!(server.stop().success());
    assert!(said(&shop).1.contains("it was stopped"));
}
