"""Words are words: whatever an item says or links to, nothing of it runs."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.looking import items, open_inbox, scroll_to

pytestmark = pytest.mark.browser

PAYLOADS = [
    "<script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    "<ScRiPt src=//evil.example/x.js></ScRiPt>",
    "<img src=x onerror=alert(1)>",
    "<img/src='x'/onerror=alert(1)>",
    "<svg onload=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    "<svg><animate onbegin=alert(1) attributeName=x dur=1s>",
    "<body onload=alert(1)>",
    "<iframe src=javascript:alert(1)></iframe>",
    "<iframe srcdoc='<script>parent.alert(1)</script>'></iframe>",
    "<object data=javascript:alert(1)>",
    "<embed src=javascript:alert(1)>",
    "<a href=javascript:alert(1)>click</a>",
    "<a href='jav&#x09;ascript:alert(1)'>click</a>",
    "<form action=javascript:alert(1)><input type=submit autofocus onfocus=alert(1)></form>",
    "<details open ontoggle=alert(1)>",
    "<video><source onerror=alert(1)></video>",
    "<audio src=x onerror=alert(1)>",
    "<math href=javascript:alert(1)>click</math>",
    "<marquee onstart=alert(1)>x</marquee>",
    "<input autofocus onfocus=alert(1)>",
    "<select autofocus onfocus=alert(1)>",
    "<textarea autofocus onfocus=alert(1)>",
    "<style>@import 'javascript:alert(1)';</style>",
    "<link rel=stylesheet href=//evil.example/x.css>",
    "<meta http-equiv=refresh content='0;url=javascript:alert(1)'>",
    "<base href=//evil.example/>",
    "<template><script>alert(1)</script></template>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "<table background=javascript:alert(1)>",
    "<div style='background:url(javascript:alert(1))'>",
    "<x onpointerover=alert(1)>hover",
    '"><script>alert(1)</script>',
    "' onmouseover='alert(1)",
    "`${alert(1)}`",
    "{{constructor.constructor('alert(1)')()}}",
    "${{7*7}}<%= alert(1) %>",
    "<!--><img src=x onerror=alert(1)>-->",
    "\u202e<script>\u2066alert(1)</script>",
]
LINKS = [
    "javascript:alert(1)", "JaVaScRiPt:alert(1)", "java\tscript:alert(1)", "\x01javascript:alert(1)",
    "data:text/html,<script>alert(1)</script>", "vbscript:x", "file:///etc/passwd", "blob:x", "//evil.example/",
    "/\\evil.example/", "\\\\evil.example", "https:evil.example@good.example:x",
]  # fmt: skip


@pytest.fixture
def watched(visit, alice):
    """Alice's page, and what it did that it must not."""
    page = visit(alice).new_page()
    done = []
    page.on("dialog", lambda dialog: (done.append(f"dialog {dialog.message}"), dialog.dismiss()))
    page.on("pageerror", lambda error: done.append(f"error {error}"))
    page.on("request", lambda request: "evil.example" in request.url and done.append(f"asked {request.url}"))
    page.add_init_script(
        "addEventListener('securitypolicyviolation', event => "
        "(window.violations ??= []).push(event.violatedDirective + ' ' + event.blockedURI))"
    )
    return page, done


def test_forty_ways_to_run_a_script_are_shown_as_they_are(watched, alice, deliver):
    page, done = watched
    assert len(PAYLOADS) == 40
    for payload in PAYLOADS:
        deliver(alice, payload, body=payload, action_url="/host/", action_text=payload[:100])
    open_inbox(page)
    scroll_to(page, len(PAYLOADS))

    items(page).first.hover()
    shown = items(page).all_text_contents()
    for payload, text in zip(reversed(PAYLOADS), shown, strict=True):
        assert text.count(payload) >= 2
    made = "script,iframe,object,embed,form,base,link,meta,video,audio,img,marquee,math,details,table"
    found = page.evaluate(
        f"document.querySelector('notification-center').shadowRoot.querySelectorAll('li :is({made})').length"
    )
    assert found == 0
    assert done == []
    # Nothing even had to be refused.
    assert page.evaluate("window.violations ?? []") == []


@pytest.mark.parametrize("link", LINKS, ids=repr)
def test_a_link_that_is_none_is_not_one(watched, alice, deliver, link):
    page, done = watched
    deliver(alice, "One", action_url=link, action_text="Go")
    open_inbox(page)

    expect(items(page)).to_contain_text("One")
    hrefs = items(page).locator("a").evaluate_all("links => links.map(link => link.href)")
    assert [href for href in hrefs if not href.startswith(("http://127.0.0.1", "https://good.example"))] == []
    assert done == []


def test_a_link_elsewhere_tells_nothing_of_here(watched, alice, deliver):
    page, _ = watched
    deliver(alice, "One", action_url="https://carrier.example/track", action_text="Track")
    open_inbox(page)

    expect(items(page).get_by_role("link", name="Track")).to_have_attribute("rel", "noopener noreferrer")
