.DEFAULT_GOAL := help
.PHONY: help run test lint lock licences dist settings tables specification mutants shots clean
SHELL := /bin/bash

help: ## this list
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 22

run: ## the server, its worker and demo data, on http://127.0.0.1:8000 (or SMARTAUTH_PORT)
	@.ci/venv base && exec .venv/bin/python manage.py dev

test: ## everything that CI runs: linters, types, layers, audits, all tests on SQLite and PostgreSQL, a browser
	@.ci/run

lint: ## the part of it that is no test
	@.ci/run lint

lock: ## write requirements/*.txt anew from *.in (UPGRADE=1: newest releases; else only what changed)
	@.ci/venv dev
	@cd requirements && for name in base prod build dev; do \
	  echo "lock: $$name.txt"; \
	  env -u PIP_FIND_LINKS CUSTOM_COMPILE_COMMAND="make lock" ../.venv/bin/pip-compile --quiet $(if $(UPGRADE),--upgrade) \
	    --generate-hashes --allow-unsafe --strip-extras --no-emit-index-url --no-emit-trusted-host --no-emit-find-links \
	    --output-file $$name.txt $$name.in || exit 1; \
	done

licences: ## write docs/licences.md anew, after `make lock`
	@.ci/venv dev && .venv/bin/python -m requirements.licences

dist: ## wheels, sdists and the list of what is in smartauth (CycloneDX) into dist/
	@.ci/venv dev && rm -rf dist && .venv/bin/python -m requirements.distributions

specification: ## write the page of tests of docs/specification (OPEN=AZ: list the lines AZ-.. that no test names)
	@.ci/venv base && .venv/bin/python -m tests.specification $(if $(OPEN),--open $(OPEN))

settings: ## write the table of docs/settings.md anew from smartauth/settings_table.py
	@.ci/venv base && .venv/bin/python -m smartauth.settings_docs

tables: ## write smartauth/tables/*.sql anew, by which new SQLite files begin, after some migrations
	@.ci/venv dev && .venv/bin/python -m tests.new_databases

mutants: ## break the code of PACKAGE line by line, and run the tests that must notice (docs/mutation-tests.md; long)
	@.ci/venv dev && .venv/bin/python -m tests.mutants $(PACKAGE)

shots: ## pictures of every page into docs/screenshots (Chromium, port 8000)
	@.ci/venv dev && .venv/bin/python -m tests.browser.screenshots

clean: ## delete .venv, caches and what a running server wrote in var/ (demo data, keys, tokens)
	@rm -rf .venv .venv.lock .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache var test-results dist
	@find . -name __pycache__ -type d -not -path './node_modules/*' -prune -exec rm -rf {} +
