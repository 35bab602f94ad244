//! Exports of advertising platforms → costs, each with its traps.
use crate::support::{Row, Shop, example};
use safar_ingest::ImportReport;
use safar_model::Table;

/// `date source/medium campaign cost currency impressions clicks channel` of every row.
fn costs(shop: &Shop) -> Vec<String> {
    let get = |row: &Row, column: &str| row.get(column).cloned().unwrap_or_else(|| "-".to_owned());
    let columns = ["date", "source", "campaign", "cost", "currency", "impressions", "clicks", "channel"];
    let line = |row: &Row| columns.map(|column| get(row, column)).join(" | ");
    let mut lines: Vec<_> = shop.rows(Table::Costs).iter().map(line).collect();
    lines.sort();
    lines
}

fn take(file: &str) -> (Shop, ImportReport) {
    let shop = Shop::lately();
    let report = shop.import(&[&example(file)]).unwrap();
    (shop, report)
}

fn left_out(report: &ImportReport) -> Vec<(&str, u64)> {
    report.files[0].left_out.iter().map(|(what, rows)| (*what, *rows)).collect()
}

#[test]
fn google_ads_preamble_dashes_thousands_and_totals() {
    let (shop, report) = take("google-ads.csv");
    let expected = [
        "2026-10-01 | google | Brand | 172.45 | EUR | 1204 | 41 | Paid Search",
        "2026-10-01 | google | Shopping | 1372.4 | EUR | 10004 | 141 | Paid Shopping",
        "2026-10-02 | google | Brand | 165.1 | EUR | 998 | 39 | Paid Search",
    ];
    assert_eq!(costs(&shop), expected);
    assert_eq!(report.files[0].read_as, Some("Google Ads costs"));
    assert_eq!((left_out(&report), report.costs, report.costs_stored), (vec![("rows of totals", 2)], 3, 3));
    assert!(report.files[0].notes.is_empty(), "its total agrees: {:?}", report.files[0].notes);
    // UTF-16 with tabs, and a row that was lost on the way: the file's own total says so.
    let text = std::fs::read_to_string(example("google-ads.csv")).unwrap();
    let tabbed: Vec<u8> = {
        let text = "Campaign report\nOctober 1, 2026 - October 2, 2026\nDay\tCampaign\tCurrency code\tImpr.\tClicks\tCost\n2026-10-01\tBrand\tEUR\t1,204\t41\t172.45\n";
        std::iter::once(0xfeff).chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect()
    };
    let other = Shop::lately();
    other.take("report.csv", tabbed).unwrap();
    assert_eq!(costs(&other), ["2026-10-01 | google | Brand | 172.45 | EUR | 1204 | 41 | Paid Search"]);
    let lost: String = text.lines().filter(|line| !line.contains("Shopping")).map(|line| format!("{line}\n")).collect();
    let report = Shop::lately().take("lost.csv", lost).unwrap();
    assert!(report.files[0].notes[0].contains("its own total says 1709.95"), "{:?}", report.files[0].notes);
}

#[test]
fn a_row_is_of_one_day_and_of_one_currency() {
    let shop = Shop::lately();
    let text = "date,source,medium,campaign,cost,currency\n\
        2026-10-01,radio,audio,A,10,\n\
        2026-10-02 - 2026-10-08,radio,audio,B,10,\n\
        \"Oct 3, 2026\",radio,audio,C,12 USD,\n\
        2026-10-04 00:00:00,radio,audio,D,£5,\n\
        2026-10-05,radio,audio,E,5 parts,\n\
        2026-10-06,radio,audio,F,$5,\n\
        2026-10-07,radio,audio,G,$5,CAD\n\
        2026-10-08,radio,audio,H,$5,EUR\n";
    let report = shop.take("radio.csv", text).unwrap();
    let expected = [
        "2026-10-01 | radio | A | 10.0 | EUR | - | - | Audio",
        "2026-10-03 | radio | C | 12.0 | USD | - | - | Audio",
        "2026-10-04 | radio | D | 5.0 | GBP | - | - | Audio",
        "2026-10-07 | radio | G | 5.0 | CAD | - | - | Audio",
    ];
    assert_eq!(costs(&shop), expected);
    let rejected = shop.rejects();
    assert_eq!((report.rejected_total(), rejected.len()), (4, 4), "{rejected:?}");
    assert_eq!(rejected[0], "3 | date | 2026-10-02 - 2026-10-08 | not a day that exists");
    assert!(
        rejected[2].contains("state `--set currency=…`") && rejected[3].contains("another currency"),
        "{rejected:?}"
    );
}

#[test]
fn google_ads_without_days_say_how_to_get_them() {
    let shop = Shop::lately();
    let error = shop.take("g.csv", "Campaign,Campaign ID,Currency code,Impr.,Clicks,Cost\nBrand,1,EUR,10,2,3.50\n");
    let error = error.unwrap_err().to_string();
    assert!(error.contains("g.csv looks like Google Ads costs but has no column Day"), "{error}");
    assert!(error.contains("segment the report by day") && error.contains("--as events"), "{error}");
}

#[test]
fn meta_ads_currency_in_the_header_and_a_row_that_sums_up() {
    let (shop, report) = take("meta-ads.csv");
    let expected = [
        "2026-10-01 | facebook | Prospecting, EU | 62.1 | EUR | 5400 | 61 | Paid Social",
        "2026-10-02 | facebook | Prospecting, EU | 60.0 | EUR | 5100 | 58 | Paid Social",
    ];
    assert_eq!(costs(&shop), expected);
    assert_eq!(left_out(&report), [("rows of totals", 1)]);
    assert_eq!(shop.rows(Table::Costs)[0]["campaign_id"], "120210000000000001");
}

#[test]
fn meta_ads_period_totals_are_refused_unless_told() {
    let mut shop = Shop::lately();
    let error = shop.import(&[&example("meta-ads-period-fr.csv")]).unwrap_err().to_string();
    assert!(error.contains("01/10/2026 to 30/10/2026") && error.contains("--spread-totals"), "{error}");
    assert!(!shop.data().join("costs").join("_delta_log/00000000000000000001.json").exists());
    shop.options.spread_totals = true;
    shop.import(&[&example("meta-ads-period-fr.csv")]).unwrap();
    let rows = shop.rows(Table::Costs);
    let sum: f64 = rows.iter().map(|row| row["cost"].parse::<f64>().unwrap()).sum();
    let impressions: i64 = rows.iter().map(|row| row["impressions"].parse::<i64>().unwrap()).sum();
    assert_eq!((rows.len(), impressions), (30, 45_012));
    assert!((sum - 1234.56).abs() < 1e-6, "{sum}");
}

/// The screens write reports in the language, and with the numbers, of whoever is logged in.
#[test]
fn reports_in_the_languages_of_the_screens() {
    let google = [
        "Kampagnenbericht\nKampagnenstatus,Kampagne,Währungscode,Tag,Klicks,Impr.,CTR,Kosten\n\
         Aktiviert,Marke,PLN,2026-10-01,41,\"1.204\",\"3,41 %\",\"1.172,45\"\nGesamt: Konto, --, --, --,41,\"1.204\",\"3,41 %\",\"1.172,45\"\n",
        "Rapport\nJour\tCampagne\tCode de devise\tImpr.\tClics\tCoût\n2026-10-01\tMarke\tPLN\t1\u{202f}204\t41\t1\u{a0}172,45\n",
        "Raport\nStan kampanii;Kampania;Dzień;Kod waluty;Wyśw.;Kliknięcia;Koszt\nWłączona;Marke;2026-10-01;PLN;1 204;41;1 172,45 zł\nŁącznie: konto; --; --; --;1 204;41;1 172,45 zł\n",
        "Informe\nDía,Campaña,Código de moneda,Impr.,Clics,Coste\n2026-10-01,Marke,PLN,1.204,41,\"1172,45\"\n",
        "Giorno;Campagna;Codice valuta;Impr.;Clic;Costo\n2026-10-01;Marke;PLN;1.204;41;1.172,45\n",
    ];
    for text in google {
        let shop = Shop::lately();
        let report = shop.take("report.csv", text).unwrap();
        let expected = ["2026-10-01 | google | Marke | 1172.45 | PLN | 1204 | 41 | Paid Search"];
        assert_eq!((costs(&shop), report.rejected_total()), (expected.map(str::to_owned).to_vec(), 0), "{text}");
    }
    let meta = [
        "Berichtsstart;Berichtsende;Tag;Kampagnenname;Impressionen;Link-Klicks;Ausgegebener Betrag (PLN)\n01.10.2026;31.10.2026;01.10.2026;Marke;1.204;41;1.172,45\n",
        "Początek raportowania,Koniec raportowania,Nazwa kampanii,Wyświetlenia,Kliknięcia linku,Wydana kwota (PLN)\n2026-10-01,2026-10-01,Marke,1204,41,1172.45\n",
        "Giorno,Nome della campagna,Impression,Clic sul link,Importo speso (PLN)\n2026-10-01,Marke,1204,41,1172.45\n",
        "Dag,Campagnenaam,Weergaven,Klikken op link,Besteed bedrag (PLN)\n2026-10-01,Marke,1204,41,1172.45\n",
    ];
    for text in meta {
        let shop = Shop::lately();
        shop.take("report.csv", text).unwrap();
        assert_eq!(costs(&shop), ["2026-10-01 | facebook | Marke | 1172.45 | PLN | 1204 | 41 | Paid Social"], "{text}");
    }
    let shop = Shop::lately();
    shop.take("Zapytania.csv", "Data,Kliknięcia,Wyświetlenia,CTR,Pozycja\n2026-10-01,15,460,\"3,26%\",\"8,2\"\n")
        .unwrap();
    assert_eq!(costs(&shop), ["2026-10-01 | google | - | 0.0 | EUR | 460 | 15 | Organic Search"]);
}

/// Beside a day of its own, a row names the period of its whole report.
#[test]
fn meta_ads_by_day_in_a_report_of_a_month() {
    let shop = Shop::lately();
    let text = "Day,Campaign name,Amount spent (EUR),Impressions,Reporting starts,Reporting ends\n\
        2026-10-01,Brand,62.10,1204,2026-10-01,2026-10-31\n2026-10-02,Brand,60.00,1180,2026-10-01,2026-10-31\n";
    assert_eq!(shop.take("m.csv", text).unwrap().costs_stored, 2);
    let error = shop.take("m.csv", text.replace("Day,", "Weekday,")).unwrap_err().to_string();
    assert!(error.contains("2026-10-01 to 2026-10-31"), "without it, they are totals: {error}");
}

#[test]
fn two_columns_of_which_either_could_be_meant_are_refused() {
    let refused = |text: &str| Shop::lately().take("m.csv", text).unwrap_err().to_string();
    let error =
        refused("Day,Campaign name,Amount spent (EUR),Amount spent (USD)\n2026-10-01,A,5.00,\n2026-10-01,B,,7.00\n");
    assert!(
        error.contains("`Amount spent (EUR)` and `Amount spent (USD)`") && error.contains("each account"),
        "{error}"
    );
    let error = refused("Day,Campaign,Campaign,Currency code,Impr.,Cost\n2026-10-01,A,B,EUR,1,5.00\n");
    assert!(error.contains("`Campaign` and `Campaign`"), "{error}");
}

/// Numbers of campaigns went through a spreadsheet, or through a table with gaps.
#[test]
fn ids_that_were_taken_for_numbers() {
    let shop = Shop::lately();
    let text = "Day,Campaign,Campaign ID,Currency code,Impr.,Clicks,Cost\n2026-10-01,A,17000000001.0,EUR,10.0,2.0,3.50\n2026-10-01,B,1.7E+10,EUR,10,2,3.50\n,,,,,,\n";
    let report = shop.take("g.csv", text).unwrap();
    assert_eq!(shop.rows(Table::Costs)[0]["campaign_id"], "17000000001");
    assert_eq!((report.costs, left_out(&report)), (1, vec![("empty rows", 1)]));
    assert!(
        shop.rejects()[0].starts_with("3 | Campaign ID | 1.7E+10 | a spreadsheet cut this id short"),
        "{:?}",
        shop.rejects()
    );
}

#[test]
fn microsoft_ads_ten_lines_before_and_a_copyright_behind() {
    let (shop, report) = take("microsoft-ads.csv");
    let expected = [
        "2026-10-01 | bing | Boots | 31.5 | EUR | 900 | 22 | Paid Search",
        "2026-10-02 | bing | Boots | 29.1 | EUR | 880 | 20 | Paid Search",
    ];
    assert_eq!(costs(&shop), expected, "dates are month/day");
    assert_eq!((left_out(&report), report.rejected_total()), (vec![("footers", 1)], 0));
}

#[test]
fn tiktok_ads_totals_are_told_from_campaigns_called_total() {
    let (shop, report) = take("tiktok-ads.csv");
    let expected = [
        "2026-10-01 | tiktok | Spark | 80.15 | EUR | 15716 | 191 | Paid Social",
        "2026-10-01 | tiktok | Total Look | 10.05 | EUR | 1571 | 19 | Paid Social",
    ];
    assert_eq!(costs(&shop), expected);
    assert_eq!((left_out(&report), report.files[0].notes.len()), (vec![("rows of totals", 1)], 0));
}

#[test]
fn linkedin_ads_utf16_tabs_and_month_day() {
    let (shop, _) = take("linkedin-ads.csv");
    let expected = [
        "2026-10-01 | linkedin | Leads DACH | 45.5 | EUR | 2100 | 12 | Paid Social",
        "2026-10-02 | linkedin | Leads DACH | 44.5 | EUR | 1950 | 11 | Paid Social",
    ];
    assert_eq!(costs(&shop), expected);
}

#[test]
fn costs_of_ones_own() {
    let (shop, report) = take("costs.csv");
    assert_eq!((report.costs, shop.rows(Table::Costs).len()), (2, 2), "costs without a campaign are no total");
    let mut other = Shop::lately();
    let text = "date,cost\n2026-10-01,5.50\n";
    let error = other.take("fee.csv", text).unwrap_err().to_string();
    assert!(error.contains("no column"), "{error}");
    other.options.constants = vec![("source".into(), "agency".into()), ("currency".into(), "ISK".into())];
    other.options.shape = Some("costs".into());
    other.take("fee.csv", text).unwrap();
    assert_eq!(costs(&other)[0].split(" | ").take(5).collect::<Vec<_>>(), ["2026-10-01", "agency", "-", "5.5", "ISK"]);
}

#[test]
fn a_restated_day_replaces_what_was_told() {
    let (shop, _) = take("google-ads.csv");
    let again = shop.import(&[&example("google-ads.csv")]).unwrap();
    assert_eq!(
        (again.costs, again.costs_stored, again.costs_replaced),
        (3, 0, 0),
        "the same once more changes nothing"
    );
    assert_eq!(shop.rows(Table::Costs).len(), 3);
    let restated = "Day,Campaign,Campaign ID,Currency code,Impr.,Clicks,Cost\n2026-10-02,Brand,701,EUR,1000,40,170.00\n2026-10-03,Brand,701,EUR,10,1,5.00\n";
    let report = shop.take("later.csv", restated).unwrap();
    assert_eq!((report.costs_stored, report.costs_replaced), (2, 1));
    let sums: Vec<_> = costs(&shop);
    assert_eq!(sums.len(), 4);
    assert!(sums[2].starts_with("2026-10-02 | google | Brand | 170.0 | EUR"), "{sums:?}");
}

#[test]
fn a_file_that_breaks_off_stores_nothing() {
    let shop = Shop::lately();
    let good = example("google-ads.csv");
    let bad = shop.write("bad.csv", "Campaign,Campaign ID,Currency code,Impr.,Clicks,Cost\nBrand,1,EUR,10,2,3.50\n");
    shop.import(&[&good, &bad]).unwrap_err();
    assert!(!shop.data().exists() || shop.rows(Table::Costs).is_empty());
}

#[test]
fn rows_that_cannot_be_costs_are_told() {
    let shop = Shop::lately();
    let text = "Day,Campaign,Currency code,Impr.,Clicks,Cost\n2026-10-01,A,EUR,10,2,3.50\n2026-02-30,A,EUR,10,2,3.50\n2026-10-01,A,EUR,10,2,many\n2026-10-01,A,EURO,10,2,1.00\n2026-10-01,A,EUR,1.5,2,1.00\n2026-10-01,A\n";
    let report = shop.take("g.csv", text).unwrap();
    assert_eq!((report.costs, report.rejected_total()), (1, 5));
    let expected = [
        "3 | Day | 2026-02-30 | not a day that exists",
        "4 | Cost | many | not a number",
        "5 | Currency code | EURO | not a currency code of three letters",
        "6 | Impr. | 1.5 | not a whole number of at least 0",
        "7 | - | 2 instead of 6 | wrong number of cells",
    ];
    assert_eq!(shop.rejects(), expected);
}

#[test]
fn signs_beside_amounts() {
    let text = |sign: &str| format!("Day,Campaign,Impr.,Clicks,Cost\n2026-10-01,A,10,2,{sign}3.50\n");
    let shop = Shop::lately();
    shop.take("g.csv", text("€")).unwrap();
    assert!(costs(&shop)[0].contains("| 3.5 | EUR |"));
    let mut dollars = Shop::lately();
    let report = dollars.take("g.csv", text("$")).unwrap();
    assert_eq!(report.rejected_total(), 1, "a dollar may be of several countries");
    dollars.options.constants = vec![("currency".into(), "CAD".into())];
    dollars.take("g.csv", text("$")).unwrap();
    assert!(costs(&dollars)[0].contains("| 3.5 | CAD |"));
}

#[test]
fn tables_of_a_connector_name_campaigns_and_count_money_once() {
    let (shop, report) = take("google-ads-tables");
    let expected = ["2026-10-01 | google | Brand | 172.45 | USD | 1204 | 41 | Paid Search"];
    assert_eq!(costs(&shop), expected, "micros, the newest name, the account's currency, devices added up");
    assert_eq!(report.aside.len(), 1, "{:?}", report.aside);
    assert!(report.aside[0].0.ends_with("account_stats.csv"), "{:?}", report.aside);
}

#[test]
fn tables_of_every_connector_of_costs() {
    let tables: [(&str, &[&str], usize); 4] = [
        (
            "meta-ads-tables",
            &[
                "2026-10-01 | facebook | Prospecting, EU | 72.5 | EUR | 6300 | 69 | Paid Social",
                "2026-10-02 | facebook | Prospecting, EU | 60.0 | EUR | 5100 | 58 | Paid Social",
            ],
            0,
        ),
        // The account's report tells the same money once more.
        ("microsoft-ads-tables", &["2026-10-01 | bing | Boots | 31.5 | EUR | 900 | 22 | Paid Search"], 1),
        ("tiktok-ads-tables", &["2026-10-01 | tiktok | Spark | 80.15 | USD | 15716 | 191 | Paid Social"], 0),
        (
            "linkedin-ads-tables",
            &[
                "2026-10-01 | linkedin | Leads DACH | 45.5 | CHF | 2100 | 12 | Paid Social",
                "2026-10-02 | linkedin | Leads DACH | 44.5 | CHF | 1950 | 11 | Paid Social",
            ],
            0,
        ),
    ];
    for (folder, expected, aside) in tables {
        let (shop, report) = take(folder);
        assert_eq!(costs(&shop), expected, "{folder}: {report:?}");
        assert_eq!((report.aside.len(), report.rejected_total()), (aside, 0), "{folder}: {report:?}");
    }
}

#[test]
fn counts_of_mails_and_searches_cost_nothing() {
    let (shop, _) = take("klaviyo-campaigns.csv");
    assert_eq!(costs(&shop), ["2026-10-01 | klaviyo | Spring | 0.0 | EUR | 837 | 92 | Email"]);
    let texts = std::fs::read_to_string(example("klaviyo-campaigns.csv")).unwrap();
    assert!(texts.contains(",Email\n"), "{texts}");
    let shop = Shop::lately();
    shop.take("texts.csv", texts.replace(",Email\n", ",SMS\n")).unwrap();
    assert_eq!(costs(&shop), ["2026-10-01 | klaviyo | Spring | 0.0 | EUR | 837 | 92 | SMS"]);
    let (shop, _) = take("mailchimp-campaigns.csv");
    assert_eq!(costs(&shop), ["2026-10-01 | mailchimp | Autumn news | 0.0 | EUR | 410 | 55 | Email"]);
    let (shop, _) = take("search-console.csv");
    assert_eq!(costs(&shop), ["2026-10-01 | google | - | 0.0 | EUR | 460 | 15 | Organic Search"]);
    let error = Shop::lately().import(&[&example("search-console-queries.csv")]).unwrap_err().to_string();
    assert!(
        error.contains("Search Console") && error.contains("no column Date") && error.contains("Dates.csv"),
        "{error}"
    );
}

/// The table of costs of older workspaces knows neither accounts nor campaign ids.
#[test]
fn workspaces_without_the_newer_columns_go_on() {
    let shop = Shop::lately();
    shop.take("events.csv", "ts,event\n2026-10-01,x\n").unwrap();
    let log = shop.data().join("costs/_delta_log/00000000000000000000.json");
    let text = std::fs::read_to_string(&log).unwrap();
    let field =
        |name: &str| format!(r#",{{\"name\":\"{name}\",\"type\":\"string\",\"nullable\":true,\"metadata\":{{}}}}"#);
    let older = text.replace(&field("account"), "").replace(&field("campaign_id"), "");
    let schema = older.lines().find(|line| line.starts_with("{\"metaData\"")).unwrap();
    assert!(!schema.contains("campaign_id") && !schema.contains("account"), "{schema}");
    std::fs::write(&log, older).unwrap();
    shop.import(&[&example("google-ads.csv")]).unwrap();
    let again = shop.import(&[&example("google-ads.csv")]).unwrap();
    assert_eq!((costs(&shop).len(), again.costs_stored), (3, 0));
}
