from __future__ import annotations

import copy
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.utils.safestring import SafeString, mark_safe
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from notifications.exceptions import RenderError, TemplateRefused
from notifications.pipeline import expressions, safe_tags, sandbox
from notifications.pipeline.sandbox import CompiledTemplate, SandboxTemplate, compile_template
from tests.notifications.pipeline.hostile import HOSTILE_CODE, HOSTILE_HTML, HOSTILE_SOURCE, Reader, hostile_data

BASE_URL = "https://shop.example"


def fill(source: str, *, html: bool = False, **variables: Any) -> str:
    return compile_template(source, html=html).render(variables, base_url=BASE_URL)


def forced(source: str, *, html: bool) -> CompiledTemplate:
    """Compile without the static checks, as if they had a hole."""
    return CompiledTemplate(template=SandboxTemplate(source, engine=sandbox._engine()), html=html)


# --- What cannot even be compiled ---------------------------------------------------------------------------------


@pytest.mark.parametrize("html", [False, True], ids=["text", "html"])
@pytest.mark.parametrize("source", HOSTILE_CODE.values(), ids=HOSTILE_CODE)
def test_hostile_code_is_refused_and_does_not_compile_past_the_static_checks(source, html):
    with pytest.raises(TemplateRefused) as refused:
        compile_template(source, html=html)

    assert refused.value.line == 1
    assert 20 < len(str(refused.value)) < 400
    with pytest.raises(TemplateRefused):
        forced(source, html=html)


@pytest.mark.parametrize("source", HOSTILE_SOURCE.values(), ids=HOSTILE_SOURCE)
def test_a_hostile_source_is_refused(source):
    with pytest.raises(TemplateRefused):
        compile_template(source, html=False)


@pytest.mark.parametrize("source", HOSTILE_HTML.values(), ids=HOSTILE_HTML)
def test_hostile_html_is_refused_and_harmless_past_the_static_check(source):
    with pytest.raises(TemplateRefused) as refused:
        compile_template(source, html=True)

    assert refused.value.line is not None or "control" in str(refused.value)
    try:
        html = forced(source, html=True).render(hostile_data() | {"action_url": "/orders/42/"}, base_url=BASE_URL)
    except RenderError:
        return
    assert Reader(html).dangers == []


def test_the_reader_sees_the_dangers_it_is_asked_about():
    html = '<script></script><p onclick="x" srcdoc="y"><a href=" java\tscript:z">x</a>'

    assert Reader(html).dangers == ["<script>", "onclick", "srcdoc", "javascript:z"]


def test_a_refusal_names_the_line():
    source = "Hello {{ name }},\n\n{% for line in lines %}\n{{ line|ljust:'9' }}\n{% endfor %}"

    with pytest.raises(TemplateRefused, match=r"no filter '\|ljust'") as refused:
        compile_template(source, html=False)

    assert refused.value.line == 4


def test_a_refusal_of_a_branch_names_the_line_of_the_branch():
    with pytest.raises(TemplateRefused) as refused:
        compile_template("{% if a %}\n{% elif b c %}\n{% endif %}", html=False)

    assert refused.value.line == 2


def test_a_refusal_in_html_names_the_line():
    source = "<p>\n{% comment %}\n\n{% endcomment %}\n<b>{{ name }}</b>\n<script>"

    with pytest.raises(TemplateRefused, match="<script> is not allowed") as refused:
        compile_template(source, html=True)

    assert refused.value.line == 6


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("{{ name|tilte }}", "no filter '|tilte' (did you mean 'title'?)"),
        ("{{ name|zzz }}", "there are capfirst, date, default"),
        ("{% ife x %}", "no tag {% ife %} (did you mean 'if'?)"),
        ("{% include 'x' %}", "no tag {% include %}; there are action_url, comment, for, if, with"),
        ("{% if x %}", "{% if %} is never closed; add {% endif %}"),
        ("{% endif %}", "{% endif %} has no block to belong to"),
        ("{% else %}", "{% else %} has no block to belong to"),
        ("{{ order number }}", "'order number' cannot be read; write name, name.part"),
        ("{{ a..b }}", "'a..b' has a dot too many"),
        ("{% if _('x %}{% endif %}", "'if _('x' is broken; check its quotes"),
        ("{% if %}{% endif %}", "Unexpected end of expression"),
        ("{% for x on items %}{% endfor %}", "Write {% for item in items %}"),
        ("{% for in items %}{% endfor %}", "Write {% for item in items %}"),
        ("{% with x %}{% endwith %}", "Write {% with name=value %}"),
        ("{% action_url a b %}", "with one variable"),
        ("{{ x|truncatechars:0 }}", "|truncatechars takes a number from 1 to 200"),
        ("{{ x|truncatechars }}", "truncatechars requires 2 arguments"),
        ("{{ x|floatformat:7 }}", "|floatformat takes a number up to 6"),
        ("{{ x|floatformat:'' }}", "|floatformat takes a number up to 6"),
        ("{{ x|join:y }}", "|join takes text in quotes, not a variable"),
        ("{{ x|join:5 }}", "|join takes text in quotes"),
        ("{{ x }}" * 401, "over 400 tags; shorten it"),
        ("{{ x }}" * 201, "over 200 texts, variables and tags; shorten it"),
        ("Hi\n{% if x", "'{%' is not finished; close it on the same line"),
    ],
)
def test_a_refusal_names_the_thing_and_the_cure(source, message):
    with pytest.raises(TemplateRefused, match=re.escape(message)):
        compile_template(source, html=False)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("<p title={{ x }}>", 'only in quoted values: title="{{ name }}"'),
        ("<p title=ü>", 'need quotes: name="value"'),
        ("<p ü>", "'ü' has no place inside <p>"),
        ("<p", "<p is not closed; end it with '>'"),
        ("<!-- x -->", "write {# … #}"),
        ("a < b", "Write &lt;"),
        ('<a href="{{ x }}">', 'href="{% action_url name %}"'),
        ('<a href="/orders">', 'href="{% action_url %}"'),
        ('<p title="{% if x %}">{% endif %}', "A block starts or ends inside title="),
        ('<p style="{{ x }}">', "choose between fixed styles with {% if %}"),
    ],
)
def test_a_refusal_of_html_names_the_thing_and_the_cure(source, message):
    with pytest.raises(TemplateRefused, match=re.escape(message)):
        compile_template(source, html=True)


# --- What compiles and must stay inert ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "expression",
    ["d.popitem", "d.clear", "d.keys", "d.values", "d.copy", "items.clear", "items.pop", "items.append", "format.format",
     "format.upper", "name.encode", "number.bit_length", "number.real", "yes.numerator", "d.items.sort", "items.5",
     "items.-1", "items.\u0660", "d.0", "name.0", "items.99999999999999999999"],
)  # fmt: skip
def test_methods_attributes_and_missing_keys_are_missing(expression):
    data = hostile_data()
    before = copy.deepcopy(data)

    for source in (f"{{{{ {expression} }}}}", f"{{% for x in {expression} %}}{{% endfor %}}"):
        with pytest.raises((RenderError, TemplateRefused)):
            fill(source, **data)
    if "-" not in expression:
        assert fill(f"{{% if {expression} %}}called{{% endif %}}{{{{ {expression}|default:'-' }}}}", **data) == "-"
    assert data == before


def test_keys_of_objects_and_places_in_lists_are_read():
    data: dict[str, Any] = {"d": {"items": [{"a.b": 1, "c": "x"}, "y"]}}

    assert fill("{{ d.items.0.c }}{{ d.items.1 }}", **data) == "xy"


def test_a_rendering_changes_nothing_for_the_next_one():
    data = hostile_data()
    before = copy.deepcopy(data)
    template = compile_template(
        "{% for x in items %}{% with items=x %}{{ items }}{% endwith %}{% endfor %}", html=False
    )

    first, second = template.render(data), template.render(data)

    assert first == second == "ab"
    assert data == before


class Order:
    secret = "s3cret"

    def __str__(self) -> str:
        return self.secret


@pytest.mark.parametrize(
    "value",
    [Order(), Order, hostile_data, {"order": Order()}, [Order()], {1, 2}, b"bytes", object(), {Order(): 1}],
    ids=["object", "class", "function", "in an object", "in a list", "set", "bytes", "bare object", "as a key"],
)
def test_only_plain_data_is_read(value):
    with pytest.raises(RenderError) as refused:
        fill("{{ value.secret }}{{ value.order.secret }}{{ value }}", value=value)

    assert "s3cret" not in str(refused.value)


def test_data_that_contains_itself_is_refused():
    data: list[Any] = []
    data.append(data)

    with pytest.raises(RenderError, match="'data' is nested deeper than 20 levels"):
        fill("{{ data.0 }}", data=data)


def test_data_that_is_not_read_is_not_looked_at():
    assert fill("{{ name }}", name="Alice", order=Order()) == "Alice"


# --- Escaping -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "source",
    ["{{ x }}", "{{ x|lower }}", "{{ x|default:'' }}", "{{ y|default:x }}", "{{ x|escape }}", "{{ x|linebreaksbr }}",
     "{% for i in list %}{{ i }}{% endfor %}", "{{ list|join:', ' }}", "{{ list|first }}", "{% with z=x %}{{ z }}{% endwith %}",
     "{{ '<b>' }}", "{{ y|default:'<b>' }}", "{{ list|join:'<b>' }}", "{{ 1|yesno:'<b>,' }}", "{{ 2|pluralize:'<b>' }}",
     "{{ x|capfirst|title|truncatechars:9 }}", "{{ x|linebreaksbr|lower }}", "{{ x|intcomma }}", "{{ x|floatformat:2 }}",
     "{% for key, value in d %}{{ key }}{{ value }}{% endfor %}", "{{ 'x'|date:'<b>'|default:'<b>' }}"],
)  # fmt: skip
@pytest.mark.parametrize("wrap", [str, mark_safe], ids=["str", "SafeString"])
def test_data_and_literals_are_escaped_in_html(source, wrap):
    x = wrap("<b>&\"'")
    try:
        html = fill(source, html=True, x=x, y=None, list=[x, x], d={x: x})
    except RenderError:
        assert "date" in source
        return

    assert "<b>" not in html
    assert "<B>" not in html


def test_plain_text_is_not_escaped_and_does_not_pass_for_html():
    text = fill("{{ x }}{{ '<b>' }}", x="<i>&")

    assert text == "<i>&<b>"
    assert type(text) is str
    assert not isinstance(text, SafeString)


def test_escaping_happens_once():
    assert fill("{{ x|escape }}", html=True, x="a & b") == "a &amp; b"
    assert fill("{{ x|escape }}", x="a & b") == "a &amp; b"


def test_line_breaks_survive_escaping():
    assert fill("{{ x|linebreaksbr }}", html=True, x="<a>\nb") == "&lt;a&gt;<br>b"
    assert fill("{{ x|linebreaksbr|default:'-' }}", html=True, x="a\nb") == "a<br>b"
    assert fill("{{ x|linebreaksbr|truncatechars:3 }}", html=True, x="a\nb") == "a&lt;…"


def test_data_cannot_leave_a_quoted_attribute():
    html = fill('<p title="{{ x }}">y</p>', html=True, x=hostile_data()["attack"])

    assert Reader(html).dangers == []
    assert html == '<p title="x&quot; onmouseover=alert(1) y=&#x27;">y</p>'


def test_control_characters_of_data_do_not_reach_html():
    assert fill("{{ x }}", html=True, x="a\x00\x02b\ud800") == "ab"


def test_good_html_is_left_as_it_is():
    source = (
        '<table role="presentation" width=100% cellpadding="0" data-kind="x" aria-label=\'a "b"\'>\n<tr><td nowrap>'
        '<a href="https://shop.example/?a=1&amp;b=2" target="_blank">x</a><br/><img src="https://shop.example/a.png" '
        'alt="" /></td></tr></table >{# note #}{% comment %}<script>{% endcomment %}'
        '<p class="{% if x %}a{% else %}b{% endif %}" style="color:{% if x %}red{% elif y %}blue{% endif %}">a &lt; b</p>'
        '<a href="mailto:help@shop.example">m</a> <a href="tel:+49301234">t</a> <a href="{% action_url %}?from=mail">o</a><HR CLASS="y">'
    )

    html = fill(source, html=True, x=True, y=False, action_url="/o/1")

    assert '<p class="a" style="color:red">a &lt; b</p>' in html
    assert '<a href="https://shop.example/o/1?from=mail">' in html
    assert "script" not in html


# --- Missing variables --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("a\n{{ nme }}", "'nme' (line 2)"),
        ("{{ order.nmber }}", "'order.nmber' (line 1)"),
        ("{{ nme|upper }}", "'nme'"),
        ("{{ order.number|default:nme }}", "'nme'"),
        ("{% for x in lins %}{% endfor %}", "'lins'"),
        ("{% for x in lines %}{{ x.nme }}{% endfor %}", "'x.nme';"),
        ("{% with x=nme %}{% endwith %}", "'nme'"),
        ("{% action_url lnk %}", "'lnk'"),
        ("{{ forloop.counter }}", "'forloop'"),
        ("{{ " + "a" * 5000 + " }}", "aaa…'"),
    ],
)
def test_a_missing_variable_is_an_error_that_names_it(source, name):
    with pytest.raises(RenderError, match=re.escape(name)) as missing:
        fill(source, order={"number": ""}, lines=[{}])

    assert len(str(missing.value)) < 200


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("{{ x|default:'-' }}", "-"),
        ("{{ x|default_if_none:'-' }}", "-"),
        ("{{ x.y|upper|default:'-' }}", "-"),
        ("{{ x|default:'a'|upper }}", "A"),
        ("{{ x|length|default_if_none:'-' }}", "-"),
        ("{% if x %}a{% else %}b{% endif %}", "b"),
        ("{% if not x and x.y != 'z' %}a{% endif %}", "a"),
        ("{% if x|length > 0 %}a{% elif x|upper == '' %}b{% endif %}", "b"),
        ("{% if x|first %}a{% endif %}", ""),
        ("{% if x|default:y %}a{% endif %}", ""),
        ("{% if 1 == x|default:y %}a{% endif %}", ""),
    ],
)
def test_a_missing_variable_is_empty_where_a_default_or_a_test_expects_it(source, text):
    assert fill(source) == text


def test_null_prints_as_nothing():
    assert fill("[{{ x }}{{ x|upper }}{% for y in x %}{% endfor %}]", x=None) == "[]"


def test_a_list_or_object_does_not_print_as_code():
    for value in ([], {}, ["a"], {"a": 1}):
        with pytest.raises(RenderError, match=r"'x' is a list or object; loop over it, or use \|join"):
            fill("{{ x }}", x=value)
        with pytest.raises(RenderError, match=r"'x\|upper' filters a list or object by \|upper"):
            fill("{{ x|upper }}", x=value)


# --- Names --------------------------------------------------------------------------------------------------------


def test_the_names_are_the_roots_the_template_reads_and_does_not_make():
    source = """{{ a.b|default:c }}{% if d and not e.f|upper == g %}{% elif h %}{% endif %}
    {% for i, j in k %}{{ i }}{{ j }}{{ forloop.counter }}{% for l in i %}{{ l }}{{ m }}{% endfor %}{% empty %}{{ i }}{% endfor %}
    {% with n=o.p q='x' %}{{ n }}{{ q }}{% endwith %}{{ n|default:True }}{{ 5 }}{{ 'r' }}{% action_url s.t %}
    {% comment %}{{ u }}{% endcomment %}{# {{ v }} #}{% action_url %}"""

    template = compile_template(source, html=False)

    assert template.names == frozenset("acdeghikmnos") | {"action_url"}
    assert template.lines["a"] == 1
    assert template.lines["i"] == 2
    assert template.lines["action_url"] == 4


# --- Budgets ------------------------------------------------------------------------------------------------------

TWO_LOOPS = "{% for i in l %}{% for j in l %}", "{% endfor %}{% endfor %}"
LONG = "aBc'D e\n" * 7000


@pytest.mark.parametrize(
    ("source", "limit"),
    [
        ("{% for i in l %}{% for j in l %}x{% endfor %}{% endfor %}", "loops over 2000 times"),
        ("{% for i in l %}" + "y" * 15_000 + "{% endfor %}", "longer than 262144"),
        ("{% for i in l %}{{ long }}{% endfor %}", "longer than 262144"),
        ("{% for i in l %}{% for j in l %}" + "{% action_url link %}" * 50 + "{% endfor %}{% endfor %}", "longer than"),
        ("{% for i in l %}{% if long in long2 or long == long2 %}{% endif %}{% endfor %}", "takes too long"),
        ("{% for i in l %}" + "{% if deep == deep2 %}{% endif %}" * 90 + "{% endfor %}", "takes too long"),
        ("{% for i in l %}" + "{% if long|title|lower %}{% endif %}" * 40 + "{% endfor %}", "takes too long"),
        ("{{ long" + "|urlencode" * 1000 + " }}", "takes too long"),
        ("{{ long" + "|escape|upper" * 1000 + " }}", "takes too long"),
        ("{% for i in l %}{% for j in l %}" + "{{ 1.5|floatformat:2 }}" * 180 + "{% endfor %}{% endfor %}", "too long"),
        ("{{ l|length }}" * 100 + "{{ huge|length }}", "takes too long"),
    ],
    ids=["iterations", "fixed text", "variables", "links", "searches", "comparisons", "filters", "urlencode", "escape",
         "floatformat", "data"],
)  # fmt: skip
def test_budgets_hold(source, limit):
    deep = [[["x" * 10] * 10] * 10] * 10
    data: dict[str, Any] = {
        "l": [1] * 100,
        "long": LONG,
        "long2": LONG + "x",
        "deep": deep,
        "deep2": copy.deepcopy(deep),
    }
    data |= {"link": "https://x.example/" + "a" * 1500, "huge": ["x"] * 100_000}

    with pytest.raises(RenderError, match=limit):
        fill(source, **data)


def test_a_condition_that_breaks_the_budget_does_not_count_as_no():
    source = "{% if '' == long" + "|urlencode" * 40 + " %}{% else %}an answer{% endif %}"

    with pytest.raises(RenderError, match="takes too long"):
        fill(source, long=LONG)


def test_two_thousand_iterations_are_allowed():
    data: dict[str, Any] = {"a": [1] * 20, "b": [1] * 99}

    assert len(fill("{% for i in a %}{% for j in b %}x{% endfor %}{% endfor %}", **data)) == 1980


def test_each_rendering_has_a_budget_of_its_own():
    template = compile_template("{% for i in l %}{{ i }}{% endfor %}", html=False)

    assert {template.render({"l": ["x" * 1000] * 100}) for _ in range(30)} == {"x" * 100_000}


# --- The engine ---------------------------------------------------------------------------------------------------


def test_nothing_of_django_is_there_but_what_is_listed():
    engine = sandbox._engine()

    assert engine.template_builtins == [safe_tags.register]
    assert set(safe_tags.register.tags) == {"action_url", "comment", "for", "if", "with"}
    assert set(safe_tags.register.filters) == {
        "capfirst", "date", "default", "default_if_none", "escape", "first", "floatformat", "intcomma", "join", "last",
        "length", "linebreaksbr", "lower", "pluralize", "time", "title", "truncatechars", "truncatewords", "upper",
        "urlencode", "yesno",
    }  # fmt: skip
    assert engine.template_libraries == {}
    assert engine.template_loaders == []


def test_compiling_twice_gives_the_same_template_and_text_is_not_html():
    source = "{{ compiled_twice }}"

    assert compile_template(source, html=False) is compile_template(source, html=False)
    assert compile_template(source, html=False) is not compile_template(source, html=True)


def test_the_cache_is_bounded():
    for number in range(sandbox.CACHE_SIZE + 10):
        compile_template(f"{number}", html=False)

    assert sandbox._compile.cache_info().currsize == sandbox.CACHE_SIZE


def test_threads_share_a_template_and_not_their_data():
    source = "{% for x in l %}{{ x }}{{ forloop.counter }}{% with y=x %}{{ y }}{% endwith %}{% endfor %}"
    start = threading.Barrier(8)

    def work(number: int) -> set[str]:
        start.wait()
        return {fill(source, l=[number] * 50) for _ in range(50)}

    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(work, range(8)))

    assert results == [{"".join(f"{n}{i}{n}" for i in range(1, 51))} for n in range(8)]


# --- Anything at all ----------------------------------------------------------------------------------------------

NAMES = ["name", "url", "attack", "items", "d", "d.key", "d.items.0", "number", "missing", "yes", "items.pop", "x", "5"]
ARGUMENTS = {
    "date": ["", ":'Y-m-d'", ":'<b>'"],
    "default": [":name", ":'<b>'", ":missing"],
    "default_if_none": [":attack", ":5"],
    "floatformat": ["", ":2", ":'2g'", ":'-6'"],
    "join": [":'<b>'", ":', '"],
    "pluralize": ["", ":'<i>,<b>'"],
    "time": ["", ":'H:i'"],
    "truncatechars": [":1", ":200"],
    "truncatewords": [":'2'"],
    "urlencode": ["", ":'<'"],
    "yesno": ["", ":'<b>,no'"],
}
WORDS = ["{{", "}}", "{%", "%}", "<", ">", '"', "'", "=", "<p title=\"", "</p>", "<a href=\"", "on", "script", " ", "\n",
         "javascript:", "{# #}", "{% if yes %}", "{% else %}", "{% endif %}", "{% for x in items %}", "{% endfor %}",
         "{% action_url url %}", "{% action_url %}", "{% comment %}", "{% endcomment %}", "|", "&#106;", "é"]  # fmt: skip

one_filter = st.sampled_from(sorted(safe_tags.register.filters)).flatmap(
    lambda name: st.sampled_from([f"|{name}{argument}" for argument in ARGUMENTS.get(name, [""])])
)
expression = st.builds(
    lambda name, chain: name + "".join(chain), st.sampled_from(NAMES), st.lists(one_filter, max_size=4)
)
leaf = st.one_of(
    expression.map(lambda code: f"{{{{ {code} }}}}"),
    expression.map(lambda code: f'<p title="{{{{ {code} }}}}">x</p>'),
    expression.map(lambda code: f"{{% action_url {code} %}}"),
    st.sampled_from(WORDS),
)
template = st.recursive(
    st.lists(leaf, max_size=4).map("".join),
    lambda inner: st.one_of(
        st.builds("{{% if {} == {} %}}{}{{% else %}}{}{{% endif %}}".format, expression, expression, inner, inner),
        st.builds("{{% for x in {} %}}{}{{% endfor %}}".format, expression, inner),
        st.builds("{{% for x, y in {} %}}{}{{% empty %}}{}{{% endfor %}}".format, expression, inner, inner),
        st.builds("{{% with x={} %}}{}{{% endwith %}}".format, expression, inner),
        st.builds("{}{}".format, inner, inner),
    ),
    max_leaves=8,
)
anything = st.one_of(template, st.lists(st.sampled_from(WORDS + NAMES), max_size=12).map("".join))


@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
@given(source=anything, html=st.booleans())
def test_any_template_is_refused_or_renders_harmlessly_or_fails_as_a_render_error(source, html):
    data = hostile_data() | {"action_url": "/orders/42/"}
    before = copy.deepcopy(data)
    try:
        template = compile_template(source, html=html)
        outputs = {template.render(data, base_url=BASE_URL) for _ in range(2)}
    except RenderError:
        return
    finally:
        assert data == before

    (output,) = outputs
    assert len(output) <= expressions.MAX_OUTPUT
    assert not html or Reader(output).dangers == []


json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=10,
)


@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
@given(code=expression, value=json)
def test_any_data_renders_or_fails_as_a_render_error(code, value):
    source = f"{{{{ {code} }}}}{{% if {code} %}}{{% endif %}}"
    try:
        html = fill(
            source, html=True, **dict.fromkeys(["name", "url", "attack", "items", "d", "number", "yes", "x"], value)
        )
    except RenderError:
        return

    assert Reader(html).dangers == []
    assert not re.search(r"<(?!br>)", html)
