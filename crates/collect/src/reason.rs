//! Why collected requests, and members of their batches, are no events.
safar_model::reasons! {
    // Of a member of a batch.
    HIT_UNNAMED, "hit_unnamed", "a hit does not name its event (`en`)";
    NO_REQUEST, "no_request", "a request is neither a query nor an object";
    SITE_UNNAMED, "site_unnamed", "a request does not name its site (`idsite`)";
    OLD_WITHOUT_TOKEN, "old_without_token", "a time older than a day (`cdt`) needs the right token_auth";
    NO_PAYLOAD_OBJECT, "no_payload_object", "a payload is no object";
    PAYLOAD_UNTOLD, "payload_untold", "a payload does not say what happened (`e`)";
    NO_EVENT_OBJECT, "no_event_object", "an event is no object";
    EVENT_UNNAMED, "event_unnamed", "an event has no name";
    NEITHER_NAME_NOR_ADDRESS, "neither_name_nor_address", "an event has neither name nor address";
    NO_MESSAGE_OBJECT, "no_message_object", "a message is no object";
    UNKNOWN_MESSAGE, "unknown_message", "the type of a message is not known";
    MESSAGE_WITHOUT_PAYLOAD, "message_without_payload", "a message has no object `payload`";
    // Of a whole body.
    BODY_ENCODING, "body_encoding", "the body cannot be read: its content-encoding is neither gzip nor deflate";
    BODY_NO_JSON, "body_no_json", "the body cannot be read: it is no JSON";
    BODY_NO_OBJECT, "body_no_object", "the body cannot be read: it is no JSON object";
    BODY_NO_REQUESTS, "body_no_requests", "the body cannot be read: it has no array `requests`";
    BODY_NO_EVENTS, "body_no_events", "the body cannot be read: it has no array `events`";
    BODY_BATCH, "body_batch", "the body cannot be read: its batch is no array";
    BODY_NO_PAYLOAD_DATA, "body_no_payload_data", "the body cannot be read: it is no payload_data object";
    BODY_PAYLOAD_WITHOUT_DATA, "body_payload_without_data", "the body cannot be read: payload_data has no array `data`";
    BODY_NO_FORM, "body_no_form", "the body cannot be read: it is neither JSON nor a form with the field `data`";
    BODY_NO_BASE64, "body_no_base64", "the body cannot be read: the field `data` is no base64";
    BODY_NO_EVENT, "body_no_event", "the body cannot be read: it is neither an event nor a batch of them";
    BODY_DAMAGED, "body_damaged", "the compressed body breaks off or is damaged";
    // Of a stored request.
    UNKNOWN_KEY, "unknown_key", "the key, its secret or the page is not known here";
    NOBODYS_PATH, "nobodys_path", "nobody's path";
    OTHER_VERSION, "other_version", "the record was written by another version";
    // Of bytes of the log.
    LOG_DAMAGED, "log_damaged", "the log is damaged here";
    LOG_BREAKS_OFF, "log_breaks_off", "the log breaks off here";
}
