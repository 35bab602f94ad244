"""SDKs of PyPI: python python.py COLLECTOR [WORDS…]. Prints a line of JSON for each thing that was sent."""

import json
import os
import sys
import time
import traceback

COLLECTOR, WORDS = sys.argv[1], sys.argv[2:]


def page(client):
    return f"https://shop.example/{client}?utm_source=letter&utm_medium=email&utm_campaign={client}"


def order(client):
    items = [{"product_id": "p1", "name": "Tëst “Shoe”", "price": 64.95, "quantity": 2}]
    return {"order_id": f"{client}-1", "revenue": 129.9, "currency": "EUR", "products": items}


def ordered(client):
    return f"order_id = '{client}-1' and value = 129.9 and currency = 'EUR' and items is not null"


def say(client, what, where):
    print(json.dumps({"client": client, "what": what, "where": where}), flush=True)


def calls_of_segment(name, make):
    """What the clients of Segment and RudderStack share, with gzip and without."""
    for gzip in (False, True):
        client = f"{name}-gzip" if gzip else name
        c = make(gzip)
        c.identify(client, {"email": f"{client}@shop.example"})
        c.track(client, "Order Completed", order(client))
        c.page(client, "Docs", "Home", {"url": page(client)})
        c.flush()
        say(client, "identify", f"name = 'identify' and user_id = '{client}' and email_hash is not null")
        say(client, "track an order", f"{ordered(client)} and user_id = '{client}'")
        say(client, "page", f"name = 'page_view' and page_url = '{page(client)}' and user_id = '{client}'")


def segment(name):
    from segment.analytics.client import Client

    calls_of_segment(name, lambda gzip: Client("WRITE_KEY", host=COLLECTOR, gzip=gzip))


def rudder(name):
    from rudderstack.analytics.client import Client

    calls_of_segment(name, lambda gzip: Client("WRITE_KEY", host=COLLECTOR, gzip=gzip))


def posthog(name):
    from posthog import Posthog

    # With `v1` the client hears of each event whether it is taken.
    for kind, options in (("", {}), ("-gzip", {"gzip": True}), ("-v1", {"capture_mode": "v1"})):
        client = f"{name}{kind}"
        c = Posthog("phc_TEST", host=COLLECTOR, flush_interval=0.3, **options)
        c.capture("Order Completed", distinct_id=client, properties={**order(client), "$current_url": page(client)})
        c.alias(f"device-{client}", client)
        c.flush()
        c.shutdown()
        say(client, "capture an order", f"{ordered(client)} and user_id = '{client}' and page_url = '{page(client)}'")
        say(client, "alias", f"name = 'alias' and user_id = '{client}' and anonymous_id = 'device-{client}'")


def snowplow(name):
    from snowplow_tracker import Emitter, PageView, SelfDescribing, SelfDescribingJson, StructuredEvent, Subject, Tracker

    for method, base64 in (("post", False), ("post", True), ("get", True)):
        client = f"{name}-{method}{'-base64' if base64 else ''}"
        emitter = Emitter(COLLECTOR, method=method, batch_size=3 if method == "post" else 1)
        subject = Subject().set_user_id(client).set_domain_user_id(f"device-{client}")
        t = Tracker("py", emitter, subject=subject, app_id="shop", encode_base64=base64)
        t.track(PageView(page_url=page(client), page_title="Checkout", referrer="https://www.google.com/"))
        t.track(StructuredEvent(category="Shop", action="add-to-basket", label="web", value=2.0))
        t.track(SelfDescribing(SelfDescribingJson("iglu:com.acme/order_completed/jsonschema/1-0-0", order(client))))
        t.flush()
        say(client, "page view", f"name = 'page_view' and user_id = '{client}' and page_url = '{page(client)}'")
        say(client, "structured event", f"name = 'add-to-basket' and user_id = '{client}'")
        say(client, "order", f"{ordered(client)} and anonymous_id = 'device-{client}'")


def umami(name):
    import umami

    umami.set_url_base(COLLECTOR)
    umami.set_website_id("94db1cb1-74f4-4a40-ad6c-962362670409")
    umami.set_hostname("shop.example")
    umami.new_event(event_name=f"{name} order", title="x", url=f"/{name}", custom_data={"revenue": 1.5})
    umami.new_page_view(page_title="Home", url=f"/{name}-home")
    say(name, "event", f"name = '{name} order' and value = 1.5")
    say(name, "page view", f"name = 'page_view' and page_url = 'https://shop.example/{name}-home'")


CLIENTS = {
    "segment-python": segment,
    "rudder-python": rudder,
    "posthog-python": posthog,
    "snowplow-python": snowplow,
    "umami-python": umami,
}

failed = 0
for known, run in CLIENTS.items():
    if WORDS and not any(word in known for word in WORDS):
        continue
    try:
        run(known)
    except Exception:
        failed += 1
        print(known, file=sys.stderr)
        traceback.print_exc()
sys.stdout.flush()
time.sleep(5 * (float(os.environ.get("PATIENCE", "1")) - 1))  # what is sent again is sent by threads
os._exit(1 if failed else 0)  # some clients leave threads behind
