# Every target makes its own virtual environment first; Python 3.11 or newer and make are all it needs.
PYTHON ?= $(firstword $(shell command -v python3 python3.11 python3.12 python3.13 python3.14 python))
BIN := .venv/bin
CODE := src tests scripts $(wildcard examples bench)
PYTEST := $(BIN)/python -m pytest -q -n 2

PEERS ?= $(HOME)/.cache/dirigent-bench
ONLY ?=
WORK ?= ABCDEF
REPEAT ?= 3
BENCH ?=
PYSTORM := PYTHONPATH=src:tests $(BIN)/python

.PHONY: help demo test check fast slow simulate fmt bench bench-micro bars model docs lock clean storms campaign run-environment dev-environment

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 10

demo: run-environment ## bring the shop up, place orders, crash, resume, change, tear down
	$(BIN)/python examples/shop/demo.py

test: check slow ## everything that CI runs

check: dev-environment ## format, lint, types, floors, and the house and fast tests (under two minutes)
	$(BIN)/ruff format --check --quiet $(CODE)
	$(BIN)/ruff check --quiet $(CODE)
	$(BIN)/mypy --no-error-summary
	$(BIN)/lint-imports --no-logo
	$(PYTEST) -m "not slow"

slow: dev-environment ## the tests that take longer: processes, crashes, real effects
	$(PYTEST) -m slow

simulate: dev-environment ## the engine by seed: SEED=123 repeats one, SEEDS=0..20000 plays a range, UNTIL=1000000 goes on
	$(PYSTORM) -m $(if $(UNTIL),simulation.campaign --until $(UNTIL),simulation \
	  $(if $(SEED),--seed $(SEED) --plan '$(PLAN)',--seeds $(or $(SEEDS),0..20000)))

fmt: dev-environment ## put the code into form
	$(BIN)/ruff check --quiet --fix-only $(CODE)
	$(BIN)/ruff format $(CODE)

bench: dev-environment ## measure ours and the peers: ONLY=dirigent WORK=AB REPEAT=1 RESUME=1
	$(BIN)/python bench/compare.py --peers $(PEERS) --only $(ONLY) --work $(WORK) --repeat $(REPEAT) \
	  $(if $(RESUME),--resume) $(BENCH)
	$(if $(ONLY)$(BENCH)$(filter-out ABCDEF,$(WORK)),,$(BIN)/python bench/page.py)
	-$(if $(ONLY)$(BENCH)$(filter-out ABCDEF,$(WORK)),,$(BIN)/python bench/bars.py)

bars: dev-environment ## compare the results of `make bench` with what issue 3 asks for
	$(BIN)/python bench/bars.py

bench-micro: dev-environment ## measure parts of ours, each beside its bar
	@for file in $(sort $(wildcard bench/*_bench.py)); do echo "== $$file"; $(BIN)/python $$file || exit 1; done

model: dev-environment ## go through all behaviours of the model of leases (needs spin and gcc)
	$(BIN)/python scripts/model.py

storms: dev-environment ## kills, power cuts, crash states, disk faults, upgrades: each proof, small, with its figures
	$(BIN)/python -m pytest -q -n 2 -rs tests/storms

campaign: dev-environment ## one proof at length: NAME=powercut COUNT=300 SEED=1; writes docs/campaigns/NAME.json
	$(PYSTORM) -m storms.campaign $(NAME) $(if $(COUNT),--count $(COUNT)) $(if $(SEED),--seed $(SEED))

docs: dev-environment ## run every example, command and link of the documentation
	$(BIN)/python -m pytest -q tests/docs

lock: ## make the lock files anew (needs uv on the path)
	sh scripts/lock.sh

clean: ## remove what the other targets made
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist
	find src tests scripts examples -name __pycache__ -type d -prune -exec rm -rf {} +

run-environment dev-environment:
	@$(if $(PYTHON),,echo "there is no python3 on the path: install Python 3.11 or newer"; exit 1;) \
	  $(PYTHON) scripts/bootstrap.py $(@:-environment=)
