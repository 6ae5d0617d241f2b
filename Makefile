# Needs make and Python 3.11 or newer with venv; installs everything else, from the hashed locks, into .venv.
# uv does that, and faster, when it is on PATH. Another interpreter: make demo PYTHON=python3.12

PYTHON ?= python3
BIN := .venv/bin
UV := $(shell command -v uv)

# The interpreter itself, not the .venv that may be active in this shell: that one is ours to remove.
REAL_PYTHON = $(shell $(PYTHON) -c 'import sys; print(getattr(sys, "_base_executable", sys.executable))')

# What `manage.py check --deploy` looks at: an installation that serves the world, with a key nobody knows.
PRODUCTION = SECRET_KEY="$$($(BIN)/python -c 'import secrets; print(secrets.token_urlsafe(64))')" \
	DEBUG=off ALLOWED_HOSTS=example.com SECURE=on DATABASE_URL=postgres:///notifications REDIS_URL=redis://localhost

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help demo test test-unit test-services test-browser chaos fuzz bench pictures check format locks clean python run dev chromium

help: ## Say what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: run ## Run the demo shop, in one process (ARGS="…" for its options)
	$(BIN)/python manage.py demo $(ARGS)

# All three runs count for the coverage: what talks to PostgreSQL or Redis is tested there.
PYTEST = $(BIN)/python -m coverage run -m pytest
SERVICES = $(BIN)/python -m tests.services --

test: dev ## Run all tests, and see that little is untested
	@rm -f .coverage .coverage.*
	@$(MAKE) --no-print-directory test-unit test-services test-browser
	@printf '\n=== Coverage ===\n\n'
	@$(BIN)/python -m coverage combine --quiet
	$(BIN)/python -m coverage report
	$(BIN)/python -m coverage report --include 'notifications/pipeline/*' --fail-under 100

test-unit: dev ## Run the tests that need no service, on SQLite
	@printf '\n=== Tests without services (SQLite) ===\n\n'
	$(PYTEST) -n auto $(ARGS)

test-services: dev ## Start PostgreSQL and Redis; run the tests that need them, and on PostgreSQL those that use a database
	@printf '\n=== Tests with PostgreSQL and Redis ===\n\n'
	$(SERVICES) $(PYTEST) -m integration $(ARGS)
	@printf '\n=== The tests that use a database once more, on PostgreSQL ===\n\n'
	$(SERVICES) env -u REDIS_URL $(PYTEST) -n auto --ignore tests/demo --with-database $(ARGS)

test-browser: dev chromium ## Look at the pages with a real Chromium
	@printf '\n=== Tests with a browser ===\n\n'
	$(PYTEST) -n auto -m browser $(ARGS)

chaos: dev ## Break real servers and processes, and see that nothing is lost (PROFILE=full: the long run)
	$(BIN)/python -m tests.chaos --profile $(or $(PROFILE),short) $(ARGS)

fuzz: dev ## Ask the API what its description allows, and what it does not (ARGS="…" for schemathesis)
	@$(call ensure_fuzz)
	$(BIN)/python -m tests.fuzzing .venv-fuzz/bin/schemathesis --max-examples 20 $(ARGS)

bench: dev ## Measure speed beside the peers, on real servers (QUICK=1: see that it runs; FULL=1: ten million rows)
	@$(call ensure_bench)
	$(BIN)/python -m tests.services --durable -- $(BIN)/python -m benchmarks$(if $(FULL),.full) $(if $(QUICK),--quick) $(ARGS)

pictures: dev chromium ## Draw the pictures of the documentation anew
	$(BIN)/python -m tests.browser.screenshots

check: dev ## Check style, layers, types, deployment settings and migrations
	$(BIN)/python -m ruff check .
	$(BIN)/python -m ruff format --check .
	$(BIN)/lint-imports --no-logo
	$(BIN)/python -m mypy .
	@echo $(BIN)/python manage.py check --deploy --fail-level WARNING
	@$(PRODUCTION) $(BIN)/python manage.py check --deploy --fail-level WARNING
	$(BIN)/python manage.py makemigrations --check --dry-run

format: dev ## Put the code into shape
	$(BIN)/python -m ruff check --fix .
	$(BIN)/python -m ruff format .

locks: python ## Resolve requirements/*.lock from pyproject.toml (ARGS=--upgrade for what is newest)
	@set -e; uv="$(UV)"; \
	if [ -z "$$uv" ]; then \
		folder=$$(mktemp -d); trap 'rm -rf "$$folder"' EXIT; \
		$(REAL_PYTHON) -m venv "$$folder"; "$$folder/bin/python" -m pip install --quiet uv; uv="$$folder/bin/uv"; \
	fi; \
	lock() { "$$uv" pip compile -q --universal --python-version 3.11 \
		--generate-hashes --no-annotate --no-header $(ARGS) "$$@"; }; \
	lock pyproject.toml -o requirements/run.lock; \
	lock pyproject.toml -o requirements/dev.lock --group dev --constraints requirements/run.lock; \
	lock -o requirements/fuzz.lock --group fuzz; \
	lock -o requirements/bench.lock --group bench --constraints requirements/dev.lock

clean: ## Remove .venv and what the tools left
	rm -rf .venv .venv-fuzz .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis .coverage .coverage.* htmlcov .test
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# --- The .venv ------------------------------------------------------------------------------------------------------
# A copy of each lock that is installed lies in .venv; dev.lock holds all of run.lock.

run: python
	@$(call ensure_installed,run)

dev: python
	@$(call ensure_installed,dev)

# The browser of the tests. Where it cannot be installed, they are skipped and say so.
chromium:
	@command -v chromium chromium-browser google-chrome "$$CHROMIUM" >/dev/null || { \
		echo "Installing chromium"; \
		as_root=$$([ "$$(id -u)" = 0 ] || echo "sudo -n"); \
		{ $$as_root timeout 120 apt-get update -q && \
			$$as_root env DEBIAN_FRONTEND=noninteractive timeout 300 apt-get install -qy --no-install-recommends chromium; \
		} >/dev/null 2>&1 || echo "No chromium, and it cannot be installed here: the tests with a browser will be skipped" >&2; }

python:
	@$(PYTHON) -c '' 2>/dev/null || \
		{ echo "No $(PYTHON): install Python 3.11 or newer, or name one: make PYTHON=…" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "$(PYTHON) is $$($(PYTHON) -V), Python 3.11 or newer is needed: make PYTHON=…" >&2; exit 1; }
	@[ -n "$(UV)" ] || $(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
		{ echo "$(PYTHON) has no venv: apt-get install python3-venv, or install uv" >&2; exit 1; }

define ensure_installed
set -e; \
installed() { cmp -s "requirements/$$1.lock" ".venv/$$1.lock"; }; \
if [ "$$($(BIN)/python -V 2>&1)" != "$$($(REAL_PYTHON) -V)" ]; then rm -rf .venv; fi; \
if ! installed $(1); then \
	if ! installed run || { [ -z "$(UV)" ] && ! $(BIN)/python -m pip -V >/dev/null 2>&1; }; then $(new_venv); fi; \
	echo "Installing requirements/$(1).lock into .venv"; \
	$(install) "requirements/$(1).lock"; \
	cp requirements/run.lock .venv/; cp requirements/$(1).lock .venv/; \
fi
endef

# Beside what is there: Celery, to be measured against.
define ensure_bench
set -e; \
if ! cmp -s requirements/bench.lock .venv/bench.lock; then \
	echo "Installing requirements/bench.lock into .venv"; \
	$(install_bench) --require-hashes --requirement requirements/bench.lock; \
	cp requirements/bench.lock .venv/; \
fi
endef

define ensure_fuzz
set -e; \
if ! cmp -s requirements/fuzz.lock .venv-fuzz/fuzz.lock; then \
	echo "Installing requirements/fuzz.lock into .venv-fuzz"; \
	rm -rf .venv-fuzz; $(REAL_PYTHON) -m venv .venv-fuzz 2>/dev/null || $(UV) venv --quiet --python $(REAL_PYTHON) .venv-fuzz; \
	$(install_fuzz) --require-hashes --requirement requirements/fuzz.lock; \
	cp requirements/fuzz.lock .venv-fuzz/; \
fi
endef

ifdef UV
install_bench = $(UV) pip install --quiet --python $(BIN)/python
install_fuzz = $(UV) pip install --quiet --python .venv-fuzz/bin/python
new_venv = rm -rf .venv; $(UV) venv --quiet --python $(REAL_PYTHON) .venv
install = $(UV) pip sync --quiet --python $(BIN)/python --require-hashes
else
install_bench = $(BIN)/python -m pip install --quiet --disable-pip-version-check
install_fuzz = .venv-fuzz/bin/python -m pip install --quiet --disable-pip-version-check
new_venv = rm -rf .venv; $(REAL_PYTHON) -m venv .venv
install = $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement
endif
