# Everything starts here: each target makes .venv when it is missing or out of date.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: help setup demo test test-all check docs site bench

help:            ## this list
	@grep -E '^[a-z-]+: .*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

setup: $(READY)  ## make .venv with the tested versions of everything

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; assert sys.version_info >= (3, 11), "Holotype needs Python 3.11 or later"'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	touch $(READY)

demo: $(READY)   ## the whole path on a simulated collection; writes demo/report/index.html
	$(BIN)/holotype demo --out demo

test: $(READY)   ## lint, types and tests, in minutes
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pytest

test-all: $(READY)  ## as test, with the slow ones
	HOLOTYPE_SLOW=1 $(BIN)/pytest

check: $(READY)  ## lint and types only
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

docs: $(READY)   ## write the generated pages of docs/reference again
	$(BIN)/python docs/generate.py

site: $(READY)   ## the documentation as a site for a browser, without a network; writes build/site/index.html
	$(BIN)/python docs/website.py

bench: $(READY)  ## quality and speed on real data, beside peers; needs HOLOTYPE_REAL_DATA or ../shared/data
	$(BIN)/python benchmarks/quality/collection.py
	$(BIN)/python benchmarks/quality/names.py
	$(BIN)/python benchmarks/quality/barcodes.py
	$(BIN)/python benchmarks/quality/reads.py
	$(BIN)/python benchmarks/quality/schools.py
	$(BIN)/python benchmarks/quality/instruments.py
	$(BIN)/python benchmarks/quality/crops.py
	$(BIN)/python benchmarks/quality/damage.py
	$(BIN)/python benchmarks/quality/decisions.py
	$(BIN)/python benchmarks/quality/counts.py
	$(BIN)/python benchmarks/quality/label_queue.py
	$(BIN)/python benchmarks/speed/intake.py --ray
	$(BIN)/python benchmarks/speed/million_rows.py
	$(BIN)/python benchmarks/speed/training.py
	$(BIN)/python benchmarks/speed/names.py
	$(BIN)/python benchmarks/speed/barcode_search.py
	$(BIN)/python benchmarks/speed/index.py
	$(BIN)/python benchmarks/speed/predict_stream.py
	$(BIN)/python benchmarks/speed/serve.py
	$(BIN)/python benchmarks/speed/serve.py --model vit-s-96-random --name serve-vit-s
	$(BIN)/python benchmarks/speed/start.py
	$(BIN)/python benchmarks/speed/images.py
	$(BIN)/python benchmarks/speed/decode.py
	$(BIN)/python benchmarks/speed/growth.py
	$(BIN)/python benchmarks/targets.py
