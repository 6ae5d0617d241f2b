"""The frame of e-mails: styles on the elements, the look of the site, and a project's own frame."""

from __future__ import annotations

import pytest
from django.utils import translation
from django.utils.translation import get_language

from notifications.pipeline.mail_frame import Words, framed
from notifications.values import Look


def frame(look=None, **words):
    given = {"title": "Order 42", "preview": "It is here.", "fragment": "<p>It is here.</p>"} | words
    site = {"base_url": "https://shop.example", "site_name": "Corner Shop", "language": "en", "direction": "ltr"}
    site |= {"active": get_language()}
    return framed(Words(**given), look=look or Look(), **site)


def test_styles_stand_on_the_elements_because_many_mail_programs_read_no_others():
    html = frame(fragment='<h2>Hello</h2><p>See <a href="https://shop.example/">it</a>.</p>')

    assert '<p style="margin: 0 0 16px;">See' in html
    assert '<a href="https://shop.example/" style="color: #1d4ed8;">it</a>' in html
    # What cannot stand on an element is kept.
    assert "@media (prefers-color-scheme: dark)" in html


def test_what_only_wants_to_be_a_tag_is_text():
    html = frame(title="<b>", preview='"<i>', button_url='https://x.example/"', button_text="<u>")

    assert "<title>&lt;b&gt;</title>" in html
    assert "&quot;&lt;i&gt;" in html
    assert 'href="https://x.example/&quot;"' in html
    assert ">&lt;u&gt;</a>" in html


@pytest.mark.parametrize(
    "fragment",
    ["a</div>b<p>c</p>", "</p>a b c", "<b>a <p>b c</p>", "a<br>b c", "", "a &lt;/x-words&gt; b c"],
)
def test_words_are_whole_whatever_their_tags(fragment):
    html = frame(fragment=f"<p>first</p>{fragment}<p>last</p>", button_url="https://x.example/", button_text="Go")

    between = html[html.index("first") : html.index("last")]
    assert all(letter in between for letter in "abc" if letter in fragment.replace("br", ""))
    assert html.index("last") < html.index(">Go</a>")


def test_no_stylesheet_is_loaded_from_anywhere(tmp_path):
    css = tmp_path / "x.css"
    css.write_text("p { color: #abcdef; }", encoding="utf-8")

    html = frame(fragment=f'<link rel="stylesheet" href="file://{css}"><link rel="stylesheet" href="{css}"><p>a</p>')

    assert "#abcdef" not in html


def test_the_look_of_the_site_is_in_the_frame():
    look = Look(brand_color="#aa0000", logo_url="https://shop.example/logo.png", footer="Corner Shop\nMain St <1>")

    html = frame(look, button_url="https://x.example/", button_text="Go")

    assert 'bgcolor="#aa0000"' in html
    assert "1d4ed8" not in html
    assert 'src="https://shop.example/logo.png" alt="Corner Shop"' in html
    assert "Corner Shop<br>Main St &lt;1&gt;" in html


def test_the_frame_speaks_the_active_language():
    with translation.override("de"):
        german = frame()

    assert "Gesendet von" in german
    assert "Sent by" in frame()


def test_a_project_may_have_a_frame_of_its_own_that_builds_on_ours(settings, tmp_path):
    own = tmp_path / "notifications/email/base.html"
    own.parent.mkdir(parents=True)
    own.write_text(
        '{% extends "notifications/email/base.html" %}'
        "{% block style %}{{ block.super }}.content p { color: #00aa00; }{% endblock %}"
        "{% block footer %}<p>Ours, to {{ title }}</p>{% endblock %}",
        encoding="utf-8",
    )
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": [str(tmp_path)]}]

    html = frame()

    assert '<p style="margin: 0 0 16px;color: #00aa00;">It is here.</p>' in html
    assert "Ours, to Order 42" in html
    assert "Sent by" not in html
