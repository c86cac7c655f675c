# The commands of the project. `make help` lists them.
SHELL := /bin/bash
PYTHON ?= python3
VENV ?= .venv
PORT ?= 8000
HOST ?= 127.0.0.1
BIN := $(VENV)/bin
# The CUDA build of ONNX Runtime if an NVIDIA driver answers, else the CPU build. Never both, because the two wheels
# overwrite each other's files.
RUNTIME := $(shell nvidia-smi -L >/dev/null 2>&1 && echo cuda || echo cpu)
OTHER_RUNTIME := $(if $(filter cuda,$(RUNTIME)),onnxruntime,onnxruntime-gpu)
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable

.PHONY: help serve wheel fetch test test-fast test-ray coverage lint types format check bench-quick bench-serve clean

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-12s %s\n", $$1, $$2}'

serve: .port-is-free $(VENV)/.service fetch ## install what the service needs and serve on PORT (8000)
	@echo "starting; when it is ready, open http://$(if $(filter 127.0.0.1 0.0.0.0,$(HOST)),localhost,$(HOST)):$(PORT) in a browser. Ctrl-C ends it."
	@QRSR_HOST=$(HOST) QRSR_PORT=$(PORT) exec $(BIN)/python -m service

# Before anything is installed. The service looks again.
.PHONY: .port-is-free
.port-is-free:
	@$(PYTHON) service/server/listening.py $(HOST) $(PORT)

wheel: $(VENV)/.service ## build the package into dist: pip install 'dist/qr_super_resolution-...whl[cpu]'
	$(BIN)/python -m pip wheel --quiet --disable-pip-version-check --no-deps --wheel-dir dist .
	@rm -rf build/lib build/bdist.* && ls dist/*.whl

fetch: $(VENV)/.service ## fetch and verify the WeChat model files (the service also runs without them)
	@$(BIN)/python -m model_store fetch || echo "going on without the WeChat nets: fewer symbols will be read" >&2

test: $(VENV)/.dev fetch ## install the rest and run every test
	$(BIN)/python -m pytest

test-fast: $(VENV)/.dev ## the tests that start no process and take no second each, on two CPUs: under a minute
	$(BIN)/python -m pytest -n 2 --dist worksteal -m 'not cluster and not processes and not slow'

coverage: $(VENV)/.dev fetch ## every test, with the lines that tests run counted in all processes, and a floor for them
	@rm -rf build/coverage
	PYTHONPATH=$(CURDIR)/tests/coverage$${PYTHONPATH:+:$$PYTHONPATH} $(BIN)/python -m pytest
	@COVERAGE_FILE=build/coverage/data $(BIN)/coverage combine --quiet
	COVERAGE_FILE=build/coverage/data $(BIN)/coverage report

test-ray: $(VENV)/.dev fetch ## install Ray and run the tests that start clusters of it, a few minutes
	$(INSTALL) '.[$(RUNTIME),ray]'
	$(BIN)/python -m pytest -m cluster tests/service/ray

lint: $(VENV)/.dev ## ruff: rules and format; which folder imports which; linters of scripts, Dockerfiles, compose file, manifests and workflows
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-cache
	$(BIN)/shellcheck .ci/run docker/roll docker/selftest docker/*.sh docker/proxy/*.sh
	@if [ -x $(BIN)/hadolint ]; then set -x; $(BIN)/hadolint docker/Dockerfile*; fi
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.compose-spec docker-compose.yml docker/api-keys.yml
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.dependabot .github/dependabot.yml
	$(BIN)/kubernetes-validate --strict --quiet kubernetes/deployment.yml kubernetes/service.yml kubernetes/scaling.yml kubernetes/network.yml kubernetes/model-volume/claim.yml
	$(BIN)/zizmor --quiet --offline --no-progress .github

types: $(VENV)/.dev ## mypy, strict
	$(BIN)/mypy

format: $(VENV)/.dev ## rewrite the code in the project's format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

check: lint types test bench-quick ## everything that CI runs

bench-quick: $(VENV)/.dev fetch ## the benchmark's regression floor, under a minute
	$(BIN)/python -m benchmark quick

bench-serve: $(VENV)/.dev fetch build/load/.peers build/load/.fuzz ## the service under load and faults: docs/performance.md (an hour)
	$(BIN)/python -m benchmark serving all

# The peers of the benchmark and the fuzzers, each in an environment of its own, which the service never uses.
build/load/.%: constraints.txt | $(BIN)/python
	@$(PYTHON) -m venv build/load/$*
	@build/load/$*/bin/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt \
	  --editable '.[cpu]' --requirement $(if $(filter peers,$*),benchmark/serving/peers/requirements.txt,benchmark/serving/fuzz-requirements.txt)
	@touch $@

clean: ## remove the virtual environment and caches
	rm -rf $(VENV) build .mypy_cache .pytest_cache .ruff_cache

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed") if sys.version_info < (3, 11) else None'
	@echo "making the virtual environment $(VENV) ..."
	@$(PYTHON) -m venv $(VENV)

# One stamp per runtime: if a driver appears later, the name of the stamp changes and the other build is installed.
$(VENV)/.service: $(VENV)/.service-$(RUNTIME)
	@touch $@

$(VENV)/.service-$(RUNTIME): pyproject.toml constraints.txt | $(BIN)/python
	@echo "installing the service into $(VENV), with ONNX Runtime for $(RUNTIME): FastAPI, OpenCV, zxing-cpp, Arrow."
	@echo "This downloads about $(if $(filter cuda,$(RUNTIME)),3 GB,200 MB) once ..."
	@$(BIN)/python -m pip uninstall --quiet --yes $(OTHER_RUNTIME) 2>/dev/null || true
	@rm -f $(VENV)/.service-*
	@$(INSTALL) '.[$(RUNTIME),bulk]'
	@touch $@

$(VENV)/.dev: $(VENV)/.service pyproject.toml constraints.txt
	@echo "installing training and development tools (PyTorch, linters, pytest): gigabytes, once ..."
	@$(INSTALL) '.[$(RUNTIME),bulk,heif,training,dev]'
	@touch $@
