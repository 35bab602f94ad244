//! How much is taken, and what each vendor promises its clients.
//!
//! Our own limits are the largest that any client may rely on, so that nothing that a vendor takes is refused here.

/// One event of Segment's HTTP API, in bytes (Segment, "HTTP API source": 32 KB an event). Larger ones are taken too.
pub const SEGMENT_EVENT: usize = 32 << 10;
/// One batch of Segment's HTTP API, in bytes (Segment, "HTTP API source": 500 KB a batch). Larger ones are taken too.
pub const SEGMENT_BATCH: usize = 500 << 10;
/// Events in one batch of Segment's HTTP API (Segment, "HTTP API source").
pub const SEGMENT_BATCH_EVENTS: usize = 2_500;
/// One request of RudderStack's HTTP API, in bytes (RudderStack, "HTTP API": 4 MB a request).
pub const RUDDERSTACK_REQUEST: usize = 4 << 20;

/// The largest body, in bytes, as sent and again once decompressed. The server may stop reading a request here.
pub const BODY: usize = RUDDERSTACK_REQUEST;
/// The longest query string, in bytes.
pub const QUERY: usize = 64 << 10;
/// The most events in one request.
pub const EVENTS: usize = SEGMENT_BATCH_EVENTS;
/// The most bytes that the events of one request may become: shared parts are repeated on each of its events.
pub const DECODED: usize = 8 * BODY;
