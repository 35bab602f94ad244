//! What can be wrong with a row. The text is stored with the row; its code, which stays, names it for programs and other languages.
safar_model::reasons! {
    NO_TIME, "no_time", "no time";
    NO_SUCH_TIME, "no_such_time", "not a time that exists";
    NUMBER_IS_NO_TIME, "number_is_no_time", "not a time: a number counts from 1970 (9 digits or more); write day numbers of spreadsheets as dates";
    NO_TIME_OF_DAY, "no_time_of_day", "not a time of day";
    BEFORE_1900, "before_1900", "before the year 1900";
    IN_THE_FUTURE, "in_the_future", "in the future";
    NOT_A_NUMBER, "not_a_number", "not a number";
    NO_CURRENCY_BESIDE, "no_currency_beside", "what stands beside the number is no currency";
    COMMA_UNCLEAR, "comma_unclear", "the comma may part thousands or decimals: state `decimal`";
    POINT_UNCLEAR, "point_unclear", "the point may part thousands or decimals, since its column has both signs: state `decimal`";
    OTHER_DECIMAL_SIGN, "other_decimal_sign", "another decimal sign than in the rest of its column: state `decimal`, or write one sign";
    AMOUNT_TOO_LARGE, "amount_too_large", "the amount is beyond ±10¹²";
    NEITHER_0_NOR_1, "neither_0_nor_1", "neither 0 nor 1";
    UNKNOWN_INTERACTION, "unknown_interaction", "unknown interaction";
    NOTHING_HAPPENED, "nothing_happened", "nothing says what happened";
    // Nothing may be kept of such an event, nor of its row.
    REFUSED, "refused", "the visitor refused analytics";
    SAME_ID, "same_id", "another event has this id";
    CELLS, "cells", "wrong number of cells";
    BROKEN_QUOTES, "broken_quotes", "broken quotes";
    TOO_LONG, "too_long", "the row is longer than 1 MiB";
    LINE_TOO_LONG, "line_too_long", "the row is longer than 32 MiB";
    NOT_UTF8, "not_utf8", "not UTF-8: state `--encoding` (latin1 is that of Windows, too)";
    NO_JSON, "no_json", "not a JSON object";
    NO_JSON_DATA, "no_json_data", "its data is no JSON object";
    NEGATIVE_COUNT, "negative_count", "negative count: counts are 0 or more, a refund is a negative value";
    UNNAMED_CHANNEL, "unnamed_channel", "a channel without a name in the path";
    NO_DAY, "no_day", "no day";
    NO_SUCH_DAY, "no_such_day", "not a day that exists";
    ENDS_EARLY, "ends_early", "ends before it begins";
    NO_WHOLE_NUMBER, "no_whole_number", "not a whole number of at least 0";
    NO_CURRENCY_CODE, "no_currency_code", "not a currency code of three letters";
    UNCLEAR_CURRENCY, "unclear_currency", "the sign beside the amount may be several currencies: state `--set currency=…`";
    OTHER_CURRENCY, "other_currency", "the amount is told in another currency than its row";
    NOT_OWN_CURRENCY, "not_own_currency", "in another currency than the workspace's";
    NO_SOURCE, "no_source", "no source";
    NO_AMOUNT, "no_amount", "no amount";
    NO_REFUND_AMOUNT, "no_refund_amount", "a refund without an amount";
    NO_ID, "no_id", "no id";
    SHORTENED_ID, "shortened_id", "a spreadsheet cut this id short (5.55E+12): export the file anew and import it as it is, or format the column as text before saving";
    NO_ORDER_NUMBER, "no_order_number", "no order number";
    NO_RECEIPT_NUMBER, "no_receipt_number", "no receipt number";
    NO_SCORE, "no_score", "no score";
    BEYOND_SCALE, "beyond_scale", "a score beyond its scale";
    NO_DEAL_TIME, "no_deal_time", "neither when the deal was made nor when it was closed";
    TOO_MANY_ROWS, "too_many_rows", "more than 20 million rows to look up";
}
