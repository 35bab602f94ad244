//! Errors name the file, the line, the value and the way out.
use crate::shop;

#[test]
fn settings_that_are_not_allowed() {
    let shop = shop();
    let template = std::fs::read_to_string(shop.path("shop/safar.toml")).unwrap();
    for (name, from, to) in [
        ("an_unknown_time_zone", "time_zone = \"UTC\" ", "time_zone = \"Mars\" "),
        ("an_unknown_setting", "click_days = 30", "click_dys = 30"),
        ("an_unknown_preset", "preset = \"ga4\"", "preset = \"ga5\""),
        ("a_currency_in_words", "currency = \"EUR\"", "currency = \"euro\""),
        ("an_unknown_model", "\"linear\"", "\"linaer\""),
        ("a_setting_of_a_model_out_of_range", "\"position\"", "\"position:first=0.9\""),
    ] {
        shop.write("shop/safar.toml", template.replacen(from, to, 1));
        insta::assert_snapshot!(name, shop.failure(&["-C", "shop", "build"]));
    }
}

#[test]
fn settings_that_only_a_second_look_refuses() {
    let shop = shop();
    for (name, settings) in [
        ("a_host_with_a_path", "[channels]\nown_domains = [\n  \"shop.example\",\n  \"a b\",\n]\n"),
        ("an_alias_of_two_sources", "[channels.aliases]\nfacebook = [\"fb\"]\nmeta = [\"FB\"]\n"),
        ("a_goal_without_a_condition", "# a comment on lead\n[[goals]]\nname = \"lead\"\n"),
        ("an_impossible_calling_code", "[identity]\nphone_country = \"IS\"\n"),
        ("countries_of_a_file_that_is_not_there", "[enrich]\ncountry_database = \"GeoLite2-Country.mmdb\"\n"),
        ("countries_of_another_file", "[enrich]\ncountry_database = \"safar.toml\"\n"),
        ("a_shape_that_is_not_known", "[enrich]\npersonal_shapes = [\"iban\"]\n"),
    ] {
        shop.write("shop/safar.toml", settings.to_owned());
        insta::assert_snapshot!(name, shop.failure(&["-C", "shop", "build"]));
    }
}

#[test]
fn folders_files_and_words_that_do_not_exist() {
    let shop = shop();
    insta::assert_snapshot!("no_workspace", shop.failure(&["-C", "nowhere", "build"]));
    insta::assert_snapshot!("a_workspace_twice", shop.failure(&["init", "shop"]));
    insta::assert_snapshot!("no_paths_yet", shop.failure(&["-C", "shop", "attribute"]));
    insta::assert_snapshot!("a_file_that_is_not_there", shop.failure(&["-C", "shop", "import", "nothing.csv"]));
    insta::assert_snapshot!("nothing_to_report_by", shop.failure(&["-C", "shop", "attribute", "--by", "colour"]));
    insta::assert_snapshot!("a_path_file_that_is_not_there", shop.failure(&["attribute", "--paths", "nothing.csv"]));
    shop.write("bad.csv", "path;total_conversions\nA > B;three\n");
    insta::assert_snapshot!("a_count_in_words", shop.failure(&["attribute", "--paths", "bad.csv"]));
    insta::assert_snapshot!(
        "a_table_that_does_not_exist",
        shop.failure(&["-C", "shop", "sql", "select * from visits"])
    );
    insta::assert_snapshot!("a_change_through_SQL", shop.failure(&["-C", "shop", "sql", "drop table events"]));
}

#[test]
fn bad_rows_are_kept_with_their_reason_and_the_good_ones_stored() {
    let shop = shop();
    shop.write(
        "events.csv",
        "name,occurred_at,anonymous_id,page_url,value\n\
         page_view,2026-01-05T10:00:00Z,a,https://shop.example/,\n\
         page_view,2026-02-30T10:00:00Z,a,https://shop.example/,\n\
         purchase,2026-01-05T10:05:00Z,a,,twelve\n\
         purchase,2026-01-05T10:05:00Z,a,,12\n",
    );
    shop.safar(&["-C", "shop", "import", "events.csv"]).assert().success();
    assert_eq!(shop.sql("select count(*) from events"), "2");
    insta::assert_snapshot!(shop.sql("select line, \"column\", value, reason from rejects order by line"));
}

#[test]
fn an_empty_file_is_said_to_be_empty() {
    let shop = shop();
    shop.write("empty.csv", "");
    insta::assert_snapshot!(shop.failure(&["-C", "shop", "import", "empty.csv"]));
}
