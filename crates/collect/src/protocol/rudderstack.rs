//! RudderStack's own questions; its events are read by the decoder of Segment.
use crate::{Decoded, Reply, Request};
use serde_json::json;

/// `GET /sourceConfig/?writeKey=`: the source is on, has no destinations in the browser, and reports no metrics.
pub(crate) fn config(request: &Request<'_>) -> Decoded {
    let key = super::query_key(request, "writeKey").or_else(|| Some(request.basic()?.0));
    let config = json!({
        "source": {
            "id": "safar",
            "name": "safar",
            "writeKey": key,
            "enabled": true,
            "config": { "statsCollection": { "errors": { "enabled": false }, "metrics": { "enabled": false } } },
            "workspaceId": "safar",
            "dataplanes": {},
            "destinations": [],
            "connections": [],
        },
        "updatedAt": "2026-01-01T00:00:00.000Z",
        "consentManagementMetadata": { "providers": [] },
    });
    Decoded::answer(Reply::json(&config), key)
}
