# `make book` builds the course, `make test` checks it; `make help` lists the rest.

PYTHON ?= python3
VENV   ?= .venv
UV     ?= uv

BIN       := $(VENV)/bin
INSTALLED := $(VENV)/.installed
EXECUTED  := _build/executed/.done
SITE      := _build/html/index.html

PACKAGE   := $(shell find mmcourse -type f -not -name '*.pyc')
RESULTS   := $(wildcard benchmarks/results/*.json)
NOTEBOOKS := $(wildcard notebooks/*.ipynb)
PAGES     := _config.yml _toc.yml $(shell find book -type f -not -name '*.pyc')

# Kernels come from the environment made here, and start without a reader's own start-up files.
export JUPYTER_PATH := $(abspath $(VENV))/share/jupyter
export IPYTHONDIR   := $(CURDIR)/_build/ipython
export TF_CPP_MIN_LOG_LEVEL ?= 3
# On where the processor is new, off where it is old: one setting, so that all compute in the same way.
export TF_ENABLE_ONEDNN_OPTS ?= 1
# Two notebooks at a time share a graphics card, if there is one.
export TF_FORCE_GPU_ALLOW_GROWTH ?= true
# Keras as it comes, whatever a reader's ~/.keras/keras.json says.
export KERAS_HOME := $(CURDIR)/_build/keras
unexport PYTHONPATH PYTHONHOME
# Container images often set this one; without compiled modules, to import Keras takes twice as long.
unexport PYTHONDONTWRITEBYTECODE

# What two processes that share two cores are best told.
ONE_THREAD := TF_NUM_INTRAOP_THREADS=1 TF_NUM_INTEROP_THREADS=1 OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1

.DELETE_ON_ERROR:
.PHONY: help book test check lab outputs study lock clean tidy fetch train lint

help:  ## show this list
	@echo "The course is built with make book and checked with make test. The first time takes"
	@echo "about three quarters of an hour on two cores; afterwards only what changed is done again."
	@echo
	@sed -n 's/^\([a-z]*\):.*  ## \(.*\)/  make \1	\2/p' Makefile | expand -t 16
	@echo
	@echo "To use another Python (3.11 to 3.13): make book PYTHON=python3.12"

book: $(SITE)  ## build the course: environment, data, models, notebooks, site
	@echo "The course is in _build/html. Open it: $(CURDIR)/$(SITE)"

test: lint $(SITE)  ## run every test: the package, the notebooks, the site in a browser
	@echo "[test 2/2] pytest: the package, the site in a browser, every notebook cell by cell; two at a time"
	@$(ONE_THREAD) $(BIN)/python -m pytest -n 2 --dist loadfile --nbval --nbval-current-env \
	    --nbval-sanitize-with tests/nbval.cfg tests notebooks

check: lint  ## the quick part of the tests: form, types and the package, without notebooks and site
	@$(BIN)/mypy
	@$(ONE_THREAD) $(BIN)/python -m pytest -q -n 2 --dist loadfile --ignore tests/book/test_site.py tests

lab: fetch  ## open JupyterLab on a copy of the notebooks to work in, without solutions
	@$(BIN)/python book/tools/lab.py
	@echo "Starting JupyterLab in _build/lab (stop it with Ctrl+C)"
	@$(BIN)/jupyter-lab --ServerApp.root_dir="$(CURDIR)/_build/lab" \
	    $$([ "$$(id -u)" -ne 0 ] || echo --allow-root)  # as in a container

outputs: $(EXECUTED)  ## write the executed notebooks over those in notebooks/
	@for notebook in $(NOTEBOOKS); do cp -p _build/executed/$$notebook $$notebook; done
	@echo "notebooks/ now holds the outputs of this run; look at the difference before committing it."

study: $(INSTALLED)  ## measure anew what chapters show from benchmarks/results (needs PyTorch, JAX, Transformers)
	@$(BIN)/python -c "import torch, jax, transformers" 2>/dev/null || \
	    { echo "Needed besides: $(BIN)/python -m pip install torch jax transformers"; exit 1; }
	@for script in $(filter-out benchmarks/compare.py benchmarks/gpu.py,$(wildcard benchmarks/*.py)); do \
	    case $$script in */depth.py|*/digit_networks.py|*/naming.py|*/naming_pictures.py|*/recall.py|*/scaling.py|*/scenes.py|*/vision_transformer.py) rounds=3;; *) rounds=5;; esac; \
	    $(BIN)/python $$script --rounds $$rounds --output benchmarks/results/$$(basename $$script .py).json || exit 1; done

lock:  ## resolve requirements.txt and requirements-gpu.txt anew (needs uv)
	@command -v $(UV) >/dev/null || { echo "uv is needed: python3 -m pip install uv, or make lock UV=PATH"; exit 1; }
	$(UV) pip compile -q pyproject.toml --group book --group test --universal --python-version 3.11 \
	    --generate-hashes -o requirements.txt
	$(PYTHON) book/tools/lock_gpu.py $(UV)

clean:  ## remove what was built, but neither the environment nor the data nor your copies in _build/lab
	@find _build -mindepth 1 -maxdepth 1 -not -name lab -exec rm -rf {} + 2>/dev/null || true
	@echo "Removed _build, but for _build/lab. The environment is in $(VENV): remove it by hand."

tidy: $(INSTALLED)  ## remove models, arrays and executed notebooks that older code has left
	@$(BIN)/mmcourse tidy
	@$(BIN)/python book/tools/execute.py --tidy

lint: $(INSTALLED)
	@echo "[test 1/2] ruff"
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

$(INSTALLED): requirements.txt pyproject.toml
	@echo "[1/5] setting up the environment in $(VENV)"
	@$(PYTHON) book/tools/install.py $(VENV)
	@touch $@

fetch: $(INSTALLED)
	@echo "[2/5] fetching the data"
	@$(BIN)/mmcourse fetch

train: fetch
	@echo "[3/5] training the models that the notebooks share"
	@$(BIN)/mmcourse train

$(EXECUTED): $(INSTALLED) $(NOTEBOOKS) $(PACKAGE) $(RESULTS) book/tools/execute.py | train
	@echo "[4/5] executing $(words $(NOTEBOOKS)) notebook(s)"
	@mkdir -p $(@D) && touch $@.started  # a notebook that is edited meanwhile is run the next time
	@$(BIN)/python book/tools/execute.py
	@mv $@.started $@

$(SITE): $(EXECUTED) $(PAGES)
	@echo "[5/5] rendering the site"
	@$(BIN)/python book/tools/render.py
