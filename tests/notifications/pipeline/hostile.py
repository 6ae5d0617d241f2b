"""What an attacker would write, the data that would make it work, and what a mail program could be made to run."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

HOSTILE_CODE = {
    "ljust": '{{ "x"|ljust:"1000000000" }}',
    "rjust": '{{ "x"|rjust:"1000000000" }}',
    "center": '{{ "x"|center:"1000000000" }}',
    "stringformat": '{{ number|stringformat:"0999999999d" }}',
    "floatformat huge": "{{ number|floatformat:900000 }}",
    "floatformat negative": '{{ number|floatformat:"-900000" }}',
    "floatformat from a variable": "{{ number|floatformat:number }}",
    "truncatechars huge": "{{ name|truncatechars:1000000 }}",
    "truncatechars from a variable": "{{ name|truncatechars:number }}",
    "truncatewords huge": "{{ name|truncatewords:201 }}",
    "join with a variable": "{{ items|join:name }}",
    "join with a long text": "{{ items|join:'" + "x" * 201 + "' }}",
    "date format from a variable": "{{ name|date:format }}",
    "yesno from a variable": "{{ yes|yesno:name }}",
    "add": "{{ name|add:name }}",
    "wordwrap": "{{ name|wordwrap:1 }}",
    "make_list": "{{ name|make_list }}",
    "slice": '{{ name|slice:":3" }}',
    "pprint": "{{ d|pprint }}",
    "safe": "{{ name|safe }}",
    "safeseq": "{{ items|safeseq }}",
    "escapejs": "{{ name|escapejs }}",
    "force_escape": "{{ name|force_escape }}",
    "urlize": "{{ name|urlize }}",
    "striptags": "{{ name|striptags }}",
    "unordered_list": "{{ items|unordered_list }}",
    "dictsort": '{{ items|dictsort:"0" }}',
    "phone2numeric": "{{ name|phone2numeric }}",
    "json_script": "{{ d|json_script }}",
    "include": '{% include "admin/base.html" %}',
    "extends": '{% extends "admin/base.html" %}',
    "block": "{% block x %}{% endblock %}",
    "load": "{% load static %}",
    "lorem": "{% lorem 1000000 w %}",
    "autoescape": "{% autoescape off %}{{ name }}{% endautoescape %}",
    "filter": "{% filter safe %}{{ name }}{% endfilter %}",
    "cycle": '{% cycle "<b>" "<i>" %}',
    "firstof": "{% firstof name %}",
    "debug": "{% debug %}",
    "csrf_token": "{% csrf_token %}",
    "url": "{% url 'admin:index' %}",
    "querystring": "{% querystring %}",
    "now": '{% now "Y" %}',
    "regroup": "{% regroup items by key as groups %}",
    "widthratio": "{% widthratio number 1 1000 %}",
    "templatetag": "{% templatetag openblock %}",
    "verbatim": "{% verbatim %}{{ name }}{% endverbatim %}",
    "spaceless": "{% spaceless %}<p> </p>{% endspaceless %}",
    "translated literal": "{{ _('') }}",
    "translated argument": "{{ name|default:_('') }}",
    "private name": "{{ d.__class__ }}",
    "private variable": "{{ _base_url }}",
    "three loops": "{% for a in items %}{% for b in items %}{% for c in items %}{% endfor %}{% endfor %}{% endfor %}",
    "deep blocks": "{% if yes %}" * 11 + "{% endif %}" * 11,
    "long condition": "{% if " + "not " * 41 + "yes %}{% endif %}",
    "loop variable forloop": "{% for forloop in items %}{% endfor %}",
    "loop variable private": "{% for _a in items %}{% endfor %}",
    "with True": "{% with True=name %}{% endwith %}",
    "too many nodes": "{{ name }}" * 201,
}

HOSTILE_SOURCE = {
    "too long": "x" * 20_481,
    "too long in bytes": "é" * 10_241,
    "too many tags": "{% comment %}{% endcomment %}" * 201,
    "tags never closed": "{%" * 10_000,
    "control character": "a\x00b",
    "control character that stands for a tag": "<a href='\x02'>",
    "half a surrogate pair": "a\ud800b",
    "tag over two lines": "Hello {{\nname }}",
    "tag never closed": "Hello {{ name",
}

HOSTILE_HTML = {
    "script": "<script>alert(1)</script>",
    "script in capitals": "<SCRIPT>alert(1)</SCRIPT>",
    "variable in script": "<script>var x = {{ code }}</script>",
    "variable in style": "<style>p { color: {{ code }} }</style>",
    "iframe": '<iframe src="https://evil.example"></iframe>',
    "object": '<object data="https://evil.example"></object>',
    "embed": '<embed src="https://evil.example">',
    "form": '<form action="https://evil.example"><p>x</p></form>',
    "base": '<base href="https://evil.example/">',
    "meta": '<meta http-equiv="refresh" content="0">',
    "link": '<link rel="stylesheet" href="https://evil.example">',
    "svg": "<svg onload=alert(1)>",
    "title starts raw text": "<title>{{ name }}</title>",
    "textarea starts raw text": "<textarea>{{ name }}</textarea>",
    "comment": "<!-- {{ name }} -->",
    "conditional comment": "<!--[if mso]><script>alert(1)</script><![endif]-->",
    "processing instruction": "<?xml version='1.0'?>",
    "handler": '<p onclick="alert(1)">x</p>',
    "handler in capitals": '<p OnClick="alert(1)">x</p>',
    "variable in a handler": '<p onclick="{{ code }}">x</p>',
    "srcdoc": '<p srcdoc="{{ name }}">x</p>',
    "unknown attribute": '<a ping="https://evil.example">x</a>',
    "javascript link": '<a href="javascript:alert(1)">x</a>',
    "javascript link in capitals": '<a href=" JavaScript:alert(1)">x</a>',
    "javascript link with a tab": '<a href="java\tscript:alert(1)">x</a>',
    "javascript link with entities": '<a href="&#106;avascript&colon;alert(1)">x</a>',
    "javascript image": '<img src="javascript:alert(1)">',
    "data link": '<a href="data:text/html,x">x</a>',
    "data image": '<img src="data:image/svg+xml,x">',
    "link to another scheme by default": '<a href="//evil.example">x</a>',
    "relative link": '<a href="orders">x</a>',
    "variable as link": '<a href="{{ url }}">x</a>',
    "variable after https": '<a href="https://{{ url }}">x</a>',
    "variable after the action link": '<a href="{% action_url %}{{ url }}">x</a>',
    "variable as image": '<img src="{{ url }}">',
    "script put together from branches": '<a href="{% if yes %}java{% endif %}script:alert(1)">x</a>',
    "unquoted variable": "<p title={{ bare }}>x</p>",
    "unquoted action link": "<a href={% action_url %}>x</a>",
    "variable as attribute": "<p {{ bare }}>x</p>",
    "variable as attribute name": '<p {{ tag }}="x">x</p>',
    "variable as tag": "<{{ tag }}>alert(1)</{{ tag }}>",
    "variable inside a tag name": "<s{{ tag }}>",
    "tag put together from branches": "<{% if yes %}script{% endif %}>alert(1)</script>",
    "tag put together around a comment": "<scr{# #}ipt>alert(1)</script>",
    "tag put together around a block comment": "<scr{% comment %} {% endcomment %}ipt>alert(1)</script>",
    "attribute put together around a comment": "<p on{% comment %}\n{% endcomment %}click='alert(1)'>x</p>",
    "quote closed in one branch": '<p title="{% if yes %}" onclick="{% endif %}alert(1)">x</p>',
    "attribute in one branch": '<p {% if yes %}onclick="alert(1)"{% endif %}>x</p>',
    "block over two values": '<p title="{% if yes %}a" class="b{% endif %}">x</p>',
    "branch of another block": '{% if yes %}<p title="{% else %}">{% endif %}',
    "end of one block and start of the next": '{% if yes %}<p title="{% endif %} x {% if yes %}">{% endif %}',
    "variable in style attribute": '<p style="color: {{ code }}">x</p>',
    "tag never closed": "<p title='x'",
    "tag inside a tag": "<p <b>x</b>",
    "slash for a space": '<a/href="https://shop.example">x</a>',
    "attributes in a closing tag": '<p>x</p class="y">',
    "no space between attributes": '<p title="x"class="y">x</p>',
    "stray quote": '<p title="x"">x</p>',
    "form feed for a space": '<p\x0conclick="alert(1)">x</p>',
    "plain less-than": "1 < 2",
}


def hostile_data() -> dict[str, Any]:
    return {
        "name": "<script>alert(1)</script>",
        "url": "javascript:alert(1)",
        "attack": "x\" onmouseover=alert(1) y='",
        "bare": "x onmouseover=alert(1)",
        "tag": "script",
        "code": "alert(1)",
        "format": "{0.__class__}",
        "yes": True,
        "number": 10**9,
        "items": ["a", "b"],
        "d": {"key": "value", "items": ["<b>"]},
    }


class Reader(HTMLParser):
    """What a mail program could be made to run."""

    #: What these hold is read, not followed.
    TEXTS = {"alt", "title"}
    ACTIVE = {"base", "embed", "form", "iframe", "link", "meta", "object", "script", "style", "svg"}

    def __init__(self, html: str) -> None:
        super().__init__()
        self.dangers: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in self.ACTIVE:
            self.dangers.append(f"<{tag}>")
        for name, value in attrs:
            target = re.sub(r"[\x00-\x20]", "", value or "").lower()
            if name.startswith("on") or name == "srcdoc":
                self.dangers.append(name)
            if name not in self.TEXTS and target.startswith(("javascript:", "data:", "vbscript:", "//")):
                self.dangers.append(target)
