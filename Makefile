# Every target's text after ## is what `make help` prints.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
PY := $(VENV)/bin/python
CODE := shared functions crawler_pod live scheduler local tools tests
CODEBASES := ai crawler notes prices products users system

# Where it is set, each of the hundreds of processes of a test run would compile the sources again.
unexport PYTHONDONTWRITEBYTECODE

# What PORT=…, FIRESTORE_PORT=…, DATA=… say on the command line reaches the local cloud.
export

.PHONY: help
help: ## list every target
	@grep -hE '^[a-z-]+:.*?## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

$(VENV)/.python: requirements/setup.txt requirements/dev.txt
	@echo "setting up Python packages in $(VENV)"
	@$(PYTHON) -m venv --clear $(VENV)
	@$(PY) -m pip install --quiet --require-hashes -r requirements/setup.txt
	@VIRTUAL_ENV=$(VENV) $(VENV)/bin/uv pip install --quiet --compile-bytecode --require-hashes -r requirements/dev.txt
	@touch $@

# Without optional packages and install scripts: the Auth emulator needs none of what they build.
node_modules/.installed: package.json package-lock.json
	@echo "setting up the Firebase CLI in node_modules"
	@npm ci --omit=optional --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

.PHONY: packages
packages: $(VENV)/.python node_modules/.installed

.PHONY: setup
setup: ## install everything that the other targets need
	@$(MAKE) --no-print-directory -j2 packages
	@$(PY) -m local.demo.snapshot

.PHONY: run
run: setup ## serve everything on PORT (5001) with demo data; DATA=DIR keeps it between runs
	@$(PY) -m local

.PHONY: browser
browser: $(VENV)/.python ## install Chromium for the browser tests, where that may be done
	@$(PY) -m crawler_pod.browser_program || echo "no Chromium: the browser tests will skip" >&2

.PHONY: lint
lint: setup ## ruff: rules and format
	@$(VENV)/bin/ruff check $(CODE)
	@$(VENV)/bin/ruff format --check $(CODE)

.PHONY: types
types: setup ## mypy --strict
	@$(VENV)/bin/mypy $(CODE)

.PHONY: derived
derived: setup ## write firebase.json, the OpenAPI document and the tables anew from the declarations
	@$(PY) -m tools.derive

# To collect all tests for the few of these takes 12 s in which nothing else is done.
ALONE = $(shell grep -rlw --include='*.py' mark.alone tests)

# What failed is tried once more, by itself: docs/adr/0022 says why that is no way around a failure.
define TRIED_TWICE
	@$(PY) -m pytest -m $(1) $(2) || { [ $$? = 1 ] && echo "These failed: once more, by themselves." >&2 \
	  && $(PY) -m pytest -m $(1) --last-failed --last-failed-no-failures none --maxfail 5; }
endef

.PHONY: test
test: ## lint, types, architecture, unit, contract, rules, integration and browser tests
	@$(MAKE) --no-print-directory -j3 test-packages
	@$(MAKE) --no-print-directory setup
	@$(MAKE) --no-print-directory -j2 judged tests-together
	$(call TRIED_TWICE,alone,$(ALONE))

# What only tests need is set up beside the rest; what cannot be had skips its tests, and is told.
.PHONY: test-packages
test-packages: packages browser .venv-crawl/.crawl4ai

.PHONY: judged
judged:
	@$(MAKE) --no-print-directory lint types

.PHONY: tests-together
tests-together:
	$(call TRIED_TWICE,"not alone and not drill",--numprocesses 3 --dist loadfile --no-loadscope-reorder)

.PHONY: drills
drills: test-packages ## the tests that take long: crowds of crawls, late pods, the pace of two, decisions on real offers
	@$(PY) -m pytest -m drill

# The peers' pandas is none of ours; without them their figures are left out, and that is said.
.venv-bench/.python: requirements/bench.txt $(VENV)/.python
	@echo "setting up the peers in .venv-bench"
	@{ $(PYTHON) -m venv --clear .venv-bench && VIRTUAL_ENV=.venv-bench $(VENV)/bin/uv pip install --quiet \
	  --compile-bytecode --require-hashes -r requirements/bench.txt && touch $@; } \
	  || { rm -rf .venv-bench; echo "no peers: their figures will be left out" >&2; }

.venv-crawl/.crawl4ai: crawler_pod/requirements-browser.txt $(VENV)/.python
	@echo "setting up crawl4ai in .venv-crawl"
	@$(PY) -m crawler_pod.browser_packages && touch $@ || echo "no crawl4ai: its tests will skip, its figures be left out" >&2

.PHONY: bench
bench: setup .venv-bench/.python .venv-crawl/.crawl4ai ## measure starts, warm calls, reads, the matcher and crawls: prints a table, writes bench.json
	@$(PY) -m tests.benchmarks

.PHONY: chaos
chaos: setup ## classify 10,000 products 20 times while providers fail, workers die and tasks come twice; ITEMS=, SEEDS=
	@$(PY) -m tests.chaos --items $(or $(ITEMS),10000) --seeds $(or $(SEEDS),20)

.PHONY: crawl-packages
crawl-packages: .venv-crawl/.crawl4ai ## install crawl4ai into .venv-crawl, for the benchmark and pages that scripts draw
	@test -e .venv-crawl/.crawl4ai

.PHONY: bundle
bundle: setup ## write dist/<codebase>, ready for the Firebase CLI
	@$(PY) -m tools.bundle

.PHONY: emulators
emulators: bundle ## run the Firebase emulator suite on the same firebase.json
	@$(PY) -m tools.emulators

.PHONY: requirements
requirements: $(VENV)/.python ## pin the requirements anew, with hashes
	@for name in setup dev bench $(CODEBASES); do \
	  constraint=""; case $$name in setup|dev) ;; *) constraint="--constraint requirements/dev.txt" ;; esac; \
	  $(VENV)/bin/uv pip compile --quiet --generate-hashes --universal --python-version 3.11 --no-header \
	    --no-emit-index-url --no-emit-find-links --no-annotate $$constraint requirements/$$name.in -o requirements/$$name.txt; done
	@for name in requirements requirements-browser; do \
	  $(VENV)/bin/uv pip compile --quiet --generate-hashes --universal --python-version 3.11 --no-header \
	    --no-emit-index-url --no-emit-find-links --no-annotate --constraint requirements/dev.txt \
	    crawler_pod/$$name.in -o crawler_pod/$$name.txt; done
	@$(VENV)/bin/uv pip compile --quiet --generate-hashes --universal --python-version 3.11 --no-header \
	  --no-emit-index-url --no-emit-find-links --no-annotate --constraint requirements/dev.txt \
	  live/requirements.in -o live/requirements.txt

.PHONY: clean
clean: ## remove what was set up and built
	@rm -rf $(VENV) .venv-bench .venv-crawl .venv-crawl.lock node_modules dist build .cache .mypy_cache .ruff_cache .pytest_cache
