# The first command is `make run`. Paths with spaces work; only Python 3.11+ is needed.
PYTHON ?= python3
PY := .venv/bin/python
PIP := $(PY) -m pip install -q --disable-pip-version-check --no-input
export DJANGO_SETTINGS_MODULE = srm_project.settings

.PHONY: run setup setup-dev test browser lint fmt bench worker sbom audit clean
run: .venv/.runs       # start everything; Ctrl-C stops it
	@exec $(PY) -m srm_project.local run
setup: .venv/.runs     # what `make run` needs
setup-dev: .venv/.tests
.venv/.runs: requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "SRM needs Python 3.11 or later: make run PYTHON=...")'
	@$(PY) -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv .venv
	@echo "Installing what SRM needs (some minutes at most; only when requirements.txt changed)."
	@$(PIP) --require-hashes -r requirements.txt
	@touch .venv/.runs
.venv/.tests: requirements-dev.txt .venv/.runs
	@echo "Installing what tests and checks need."
	@$(PIP) --require-hashes -r requirements-dev.txt
	@touch .venv/.tests
test: .venv/.tests     # every test but the browser's; ARGS="-k name" for some
	@$(PY) -m srm_project.local test -- -n 2 $(ARGS)
browser: .venv/.tests  # the tests that need Chromium
	@$(PY) -m srm_project.local test -- tests/browser $(ARGS)
lint: .venv/.tests
	@.venv/bin/ruff check . && .venv/bin/ruff format --check .
	@.venv/bin/djlint --check --lint --quiet templates
	@SRM_WITHOUT_SECRETS=yes .venv/bin/mypy
	@.venv/bin/lint-imports --no-logo && $(PY) -m bench.house --check
	@$(PY) -W ignore::RuntimeWarning manage.py makemigrations --check --dry-run
	@./.ci/deploy-check
fmt: .venv/.tests
	@.venv/bin/ruff check --fix . ; .venv/bin/ruff format .
	@.venv/bin/djlint --reformat --quiet templates
bench: .venv/.tests    # measures; ARGS are passed on
	@$(PY) -m srm_project.local with -m bench $(ARGS)
sbom: .venv/.tests     # what SRM is made of, as CycloneDX (JSON)
	@$(PY) .ci/sbom
audit: .venv/.tests    # known weaknesses of what is pinned; asks pypi.org
	@$(PY) -m pip_audit --require-hashes --disable-pip --strict -r requirements.txt -r requirements-saml.txt
worker: .venv/.runs    # one more worker beside a running `make run`
	@exec $(PY) -m srm_project.local worker
clean:                 # caches only; data stays where `make run` said
	@rm -rf .cache/test-template .mypy_cache .pytest_cache .ruff_cache .hypothesis staticfiles
