# `make demo`: raw sample logs become a chat set. `make test`: the checks that CI runs. Both install what they need.
PYTHON ?= python3
export PATH := $(CURDIR)/.venv/bin:$(PATH)
# nothing here may call home
export DVC_NO_ANALYTICS := 1
export GX_ANALYTICS_ENABLED := false

.PHONY: demo test install

demo: install
	dvc repro --quiet
	ticketmill report

test: install
	.ci/check

install: .venv/installed

.venv/installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "ticketmill needs Python 3.11 or later: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv .venv
	.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.lock
	.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch .venv/installed
