# Everything a newcomer or a developer runs. `make` alone says what there is.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt
DEMO := runs/demo
REFERENCE := runs/eurosat
SHIPPED := semloss/surfaces/shipped
RECORD := README.md experiment.toml environment.json source.json metrics.csv metrics.outcomes.npz cells.csv

.DEFAULT_GOAL := help
.PHONY: help demo test lint types mutants bench gpu-check reference first-surface flies jpeg2000 fits sheet clean

help: ## list the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

# The package is installed editable, so only a change of its dependencies installs anew.
$(VENV)/.run: pyproject.toml constraints.txt | $(BIN)/python
	@echo "installing semloss and what it needs into $(VENV) (about a minute)" >&2
	$(PIP) -e .
	@touch $@

$(VENV)/.dev: pyproject.toml constraints.txt | $(BIN)/python
	@echo "installing semloss with its extras and test tools into $(VENV)" >&2
	$(PIP) -e '.[dev,efficientnet,geotiff,itu,onnx,orbit,ray,xlsx]'
	@touch $@ $(VENV)/.run

demo: $(VENV)/.run ## install, then collect, fit and predict on small built-in scenes (some minutes)
	$(BIN)/semloss collect --preset demo --out $(DEMO)
	$(BIN)/semloss fit $(DEMO) --metric accuracy --receiver deployable --out $(DEMO)/fits/accuracy.json --plot $(DEMO)/fits/accuracy.png
	$(BIN)/semloss fit $(DEMO) --metric psnr_db --out $(DEMO)/fits/psnr.json --plot $(DEMO)/fits/psnr.png
	$(BIN)/semloss predict $(DEMO)/fits/accuracy.json --cr 1/12 --snr-db 4 --plot $(DEMO)/fits/prediction.png
	@echo
	@echo "What was measured:   $(DEMO)/README.md"
	@echo "Accuracy surface:    $(DEMO)/fits/accuracy.png"
	@echo "PSNR surface:        $(DEMO)/fits/psnr.png"
	@echo "Prediction at 4 dB:  $(DEMO)/fits/prediction.png"
	@echo
	@echo "Next, as it stands:  $(BIN)/semloss predict eurosat-accuracy --cr 1/12 --snr-db 4"
	@echo "semloss on the PATH: . $(BIN)/activate"

test: $(VENV)/.dev lint types ## install, then ruff, mypy --strict and all tests
	$(BIN)/python -m pytest -n logical --maxprocesses 4 --dist worksteal

lint: $(VENV)/.dev ## ruff: rules and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.dev ## mypy --strict on the package
	$(BIN)/mypy

$(VENV)/.mutants: $(VENV)/.dev
	$(PIP) -e '.[mutants]'
	@touch $@

# ROOMS="physics tables", SAMPLE=100 or all (hours), SEED=2; tests/mutants.md says what was read.
ROOMS ?= physics metrics tables selection answers forms fitted fitting
SAMPLE ?= 40
SEED ?= 1

mutants: $(VENV)/.mutants ## which wrong lines the tests notice, on a sample from each room (30 min on 2 cores)
	$(BIN)/python tests/mutants.py --rooms $(ROOMS) --sample $(SAMPLE) --seed $(SEED)

bench: $(VENV)/.dev ## speed as ratios, each measured side by side in one run
	$(BIN)/python benchmarks/training_time.py --steps 1500
	$(BIN)/python benchmarks/prediction.py
	$(BIN)/python benchmarks/fitting.py
	$(BIN)/python benchmarks/planning.py
	$(BIN)/python benchmarks/passes.py
	$(BIN)/python benchmarks/few_cells.py
	$(BIN)/python benchmarks/coverage.py
	$(BIN)/python benchmarks/memory.py
	$(BIN)/python benchmarks/warm_against_independent.py

# STEPS=4000 is the preset's training; TILES=folder of EuroSAT RGB tiles holds it against the reference.
gpu-check: $(VENV)/.dev ## on one GPU, in minutes: whether packs work there and how fast they are, as gpu-check.csv
	$(BIN)/python benchmarks/gpu_check.py $(if $(STEPS),--steps $(STEPS)) $(if $(TILES),--tiles $(TILES))

# What of a run explains its surfaces, to data/, the tiles as TILES names them: $(call recorded,RUN,FOLDER)
define recorded
	mkdir -p data/$(2) reports
	cd $(1) && cp $(RECORD) $(CURDIR)/data/$(2)/
	sed -i 's|$(abspath $(TILES))|$(TILES)|' data/$(2)/experiment.toml data/$(2)/source.json
endef

reference: $(VENV)/.run ## measure the reference table again: make reference TILES=folder-of-EuroSAT-RGB
	$(BIN)/semloss collect --preset eurosat --set source.path=$(TILES) \
		--set 'grid.cr=["1/48","1/32","1/24","1/16","1/12","1/6"]' --set 'grid.snr_db=[-8,-6,-4,-2,0,2,4,7,10,14,18]' --out $(REFERENCE)
	$(call recorded,$(REFERENCE),eurosat-awgn)
	$(MAKE) fits

first-surface: $(VENV)/.run ## measure the same grid with one codec, against the reference table: make first-surface TILES=...
	$(BIN)/semloss collect --preset first-surface --set source.path=$(TILES) --out runs/first-surface
	$(call recorded,runs/first-surface,eurosat-first-surface)
	$(BIN)/semloss compare data/eurosat-awgn data/eurosat-first-surface --by codec --metric psnr_db --csv reports/first-surface-psnr.csv --plot reports/first-surface-psnr.png

flies: $(VENV)/.run ## measure the codec that can fly, and its symbols until sure: make flies TILES=...
	$(BIN)/semloss collect --preset flies --set source.path=$(TILES) --out runs/flies
	$(call recorded,runs/flies,eurosat-flies)
	$(BIN)/semloss sure runs/flies --target 0.75,0.8,0.85,0.88 --csv data/eurosat-flies/sure.csv

jpeg2000: $(VENV)/.run ## measure the separation that they are held against: make jpeg2000 TILES=...
	$(BIN)/semloss collect --preset jpeg2000 --set source.path=$(TILES) --out runs/jpeg2000
	$(call recorded,runs/jpeg2000,eurosat-jpeg2000)
	cp runs/jpeg2000/rate_curve.csv data/eurosat-jpeg2000/

fits: $(VENV)/.run ## fit the reference table again, into the package, and draw it
	$(BIN)/semloss fit data/eurosat-awgn --metric accuracy --receiver matched --out $(SHIPPED)/eurosat-accuracy.json --plot reports/eurosat-accuracy.png
	$(BIN)/semloss fit data/eurosat-awgn --metric accuracy --receiver clean --out $(SHIPPED)/eurosat-accuracy-clean.json
	$(BIN)/semloss fit data/eurosat-awgn --metric psnr_db --out $(SHIPPED)/eurosat-psnr.json --plot reports/eurosat-psnr.png
	$(BIN)/semloss fit data/eurosat-awgn --metric ssim --out $(SHIPPED)/eurosat-ssim.json
	$(BIN)/semloss plan adaptive eurosat-accuracy --link eo-leo-x-band --target 0.85 --max-elevation 60 --plot reports/pass-adaptive.png

sheet: $(VENV)/.run ## draw the contact sheet of the built-in scenes
	$(BIN)/python -c "from pathlib import Path; from semloss.sources import Scenes, contact_sheet; \
	contact_sheet(Scenes(per_class=8).load(), Path('reports/scenes-contact-sheet.png'))"

clean: ## remove the environment and caches (runs stay)
	rm -rf $(VENV) build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
