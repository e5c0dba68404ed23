# Two commands are all the set-up there is: `make run` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PACKAGES := app.py studio engine storage benchmarks tests

.PHONY: setup run test check fix browser train-embedded docs clean

setup: $(VENV)/.installed

$(VENV)/.installed: requirements.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	touch $@

$(VENV)/.installed-dev: requirements-dev.txt $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	touch $@

run: setup  ## Start the studio on 127.0.0.1:7860 and open it in a browser.
	$(BIN)/python app.py

check: $(VENV)/.installed-dev  ## Format, lint, types, architecture.
	$(BIN)/ruff format --check $(PACKAGES)
	$(BIN)/ruff check $(PACKAGES)
	$(BIN)/mypy
	$(BIN)/lint-imports

fix: $(VENV)/.installed-dev
	$(BIN)/ruff check --fix $(PACKAGES)
	$(BIN)/ruff format $(PACKAGES)

browser: $(VENV)/.installed-dev  ## A Chromium for the browser tests, where there is none.
	@command -v "$${CHROMIUM:-chromium}" >/dev/null 2>&1 \
		|| { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get update -qq \
			&& apt-get install -y -qq --no-install-recommends chromium; } \
		|| $(BIN)/playwright install chromium

test: $(VENV)/.installed-dev browser  ## All tests, with coverage.
	OMP_WAIT_POLICY=PASSIVE OMP_NUM_THREADS=1 MNEMOREEL_TEST_PATIENCE=4 \
		$(BIN)/pytest -n auto --dist loadfile --cov --cov-report=term

train-embedded: setup  ## The whole training plan; stop it at any time, run it again to continue.
	$(BIN)/python -m engine.train.plan --out runs/embedded

docs: setup  ## The gallery, the screenshots and the measurements that docs/ shows.
	$(BIN)/python -m engine.train.world.gallery --out docs/gallery/world.png
	$(BIN)/python -m benchmarks.samples
	$(BIN)/python -m benchmarks.tour --themes

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .coverage
