"""What is shipped to browsers: small, valid, and unable to make markup of what the server says."""

from __future__ import annotations

import gzip
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from django.contrib.staticfiles.storage import ManifestStaticFilesStorage

import notifications

STATIC = Path(notifications.__file__).parent / "static" / "notifications"
MODULES = sorted(STATIC.glob("*.js"))
IMPORTS = re.compile(r"(?:^import .* from |\bimport\()\"(.+?)\"", re.MULTILINE)
NODE = shutil.which("node") or ""
#: What turns text into markup or code; the last ones write an attribute that can hold either.
SINKS = re.compile(
    r"innerHTML|outerHTML|insertAdjacentHTML|setHTMLUnsafe|createContextualFragment|DOMParser|document\.write"
    r"|\beval\b|\bFunction\(|setTimeout\(\s*[\"'`]|srcdoc|\.cssText|setAttribute\(\s*[\"'`](?:on|style)"
)
#: They show what their own server has rendered: text by text, that would be a second template.
TAKEN = {name: ["DOMParser"] for name in ("admin-broadcast.js", "admin-dashboard.js", "admin-editor.js")}
#: Loaded by those who open their preferences on a site that can push, or who have turned it on.
PUSH = ("notification-push.js", "notification-push-page.js", "service-worker.js")
#: All others but those of staff as they are, comments and all; no bundler runs, so this is what goes over the wire once.
MAX_GZIPPED, MAX_GZIPPED_PUSH = 23_000, 4_500


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.name)
def test_the_module_makes_no_markup_and_no_code_of_text(module):
    assert SINKS.findall(module.read_text(encoding="utf-8")) == TAKEN.get(module.name, [])


@pytest.mark.skipif(not NODE, reason="no Node here to parse it; the tests with a browser load it, too")
@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.name)
def test_the_module_parses(module):
    command = [NODE, "--check", "--input-type=module"]
    with module.open("rb") as source:
        node = subprocess.run(command, check=False, stdin=source, capture_output=True, text=True)

    assert node.returncode == 0, node.stderr


def size(modules):
    return sum(len(gzip.compress(module.read_bytes(), compresslevel=9, mtime=0)) for module in modules)


def test_a_browser_loads_less_than_was_promised():
    assert (
        0
        < size([module for module in MODULES if module.name not in PUSH and not module.name.startswith("admin")])
        <= MAX_GZIPPED
    )
    assert 0 < size([STATIC / name for name in PUSH]) <= MAX_GZIPPED_PUSH


def test_push_is_loaded_only_where_it_is_asked_for():
    statically = re.compile(r"^import .* from \"(.+?)\"", re.MULTILINE)
    imports = {module.name: statically.findall(module.read_text(encoding="utf-8")) for module in MODULES}

    assert [name for name, names in imports.items() if "./notification-push.js" in names] == [
        "notification-push-page.js"
    ]
    assert imports["service-worker.js"] == []


def test_the_worker_follows_the_links_that_the_component_follows():
    safe_url = re.compile(r"function safeURL\(.*?\n}\n", re.DOTALL)
    component, worker = (
        safe_url.findall((STATIC / name).read_text(encoding="utf-8"))
        for name in ("notification-dom.js", "service-worker.js")
    )

    assert len(component) == 1
    assert component == worker


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.name)
def test_the_module_imports_only_its_neighbours(module):
    imported = IMPORTS.findall(module.read_text(encoding="utf-8"))

    assert [name for name in imported if not name.startswith("./") or not (STATIC / name).is_file()] == []


class HashedImports(ManifestStaticFilesStorage):
    support_js_module_import_aggregation = True


def test_static_files_storage_can_put_hashes_into_the_imports(tmp_path):
    shutil.copytree(STATIC, tmp_path, dirs_exist_ok=True)
    storage = HashedImports(location=tmp_path, base_url="/static/")

    done = list(storage.post_process({module.name: (storage, module.name) for module in MODULES}))

    # It finds imports in comments, too; two modules that name each other would never come to an end.
    assert [problem for _, _, problem in done if isinstance(problem, Exception)] == []
    center = (tmp_path / storage.stored_name("notification-center.js")).read_text(encoding="utf-8")
    assert [name for name in IMPORTS.findall(center) if not re.search(r"\.[0-9a-f]{12}\.js$", name)] == []


def test_every_word_of_the_component_has_a_label_and_every_label_is_used():
    source = "\n".join(module.read_text(encoding="utf-8") for module in MODULES)
    tables = re.findall(r"LABELS = (\{.*?\n\});", source, re.DOTALL)
    labels = {key: text for table in tables for key, text in json.loads(table).items()}
    for table in tables:
        source = source.replace(table, "")
    said = set(re.findall(r"\bsay\(\"(\w+)\"", source))

    assert said <= set(labels)
    # Some keys are put together: a plural, done_…, empty_…, push_….
    stems = {key: re.sub(r"_(one|other)$|^(done|empty|push)_?", "", key) for key in labels}
    assert [key for key, stem in stems.items() if f'"{key}"' not in source and f'"{stem}"' not in source] == []
