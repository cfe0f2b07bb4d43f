# Rebuilds the paper's figures; `make help` lists what else it does. Needs GNU Make 4.2 and Python 3.11, nothing more.

ifneq ($(filter 3.% 4.0 4.0.% 4.1 4.1.%,$(MAKE_VERSION)),)
$(error this is GNU Make $(MAKE_VERSION), 4.2 is needed; on a Mac: brew install make, and then gmake for make)
endif

RAW = raw
OUT = figures
PARAMETERS =
VENV = .venv
PYTHON = $(or $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
  $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && command -v $$p && break; done),\
  $(error no Python 3.11 or later is found: install one, or name it with make PYTHON=...))
VENV_PYTHON = $(VENV)/bin/python
works := $(shell test -x $(VENV_PYTHON) && echo yes)

# Kernels and papermill are forked from a process that has done the imports (lib/warm_kernel), on Linux; make WARM=0
# starts each anew.
WARM = 1
is_warm := $(and $(filter-out 0,$(WARM)),$(filter Linux,$(shell uname -s)))
kernels = JUPYTER_DEFAULT_PROVISIONER_NAME=$(if $(is_warm),warm,local-provisioner)
run_notebook = $(kernels) $(VENV_PYTHON) $(if $(is_warm),-m warm_kernel) scripts/run_notebook.py

quoted = '$(subst ','\'',$(1))'
blank := $(subst ,, )

jobs := $(shell expr $$(getconf _NPROCESSORS_ONLN) + 1)
# All cores and one more unless -j is given, since a figure waits a while for its kernel; and a figure that fails does
# not keep the others from being built.
MAKEFLAGS := $(MAKEFLAGS) --no-builtin-rules --keep-going
MAKEFLAGS := $(MAKEFLAGS) $(if $(filter-out 0,$(MAKELEVEL))$(filter -j%,$(MAKEFLAGS)),,-j$(jobs))
.DELETE_ON_ERROR:

# The same bytes everywhere: not the user's settings, number of threads, time zone or hash seed.
export MATPLOTLIBRC = /dev/null
export OMP_NUM_THREADS = 1
export PYTHONHASHSEED = 0
export PYTHONUTF8 = 1
export TZ = UTC
unexport COLDBOND_RAW COLDBOND_FIGURES COLDBOND_BUILT MPLBACKEND PYTHONPATH PYTHONHOME PYTHONSTARTUP JUPYTER_PATH
# Every figure imports the same packages: compiled anew each time they cost more than the figure.
unexport PYTHONDONTWRITEBYTECODE

figures:  ## rebuild what is out of date (make figures RAW=your/recordings OUT=your/figures; one figure: make fig4b)
	@$(places)$(summary) $(if $(summary),$(drawn))
claims:  ## the same, then print the claims table; fails where a verdict is not the committed one
	@$(places)$(VENV_PYTHON) -m coldbond.bundle.claims $(call quoted,$(OUT))$(and_summary)

# ---- the rules of the figures, which scripts/make_rules.py writes from figures.toml ----------------------------------
others = manifest check test coverage nbval test-browser test-multiverse test-publish lab explore notebooks formats raw energies bench fuzz scale closure survey validation lock licences clean
.PHONY: figures claims help multiverse site report crate $(others) FORCE
goals = $(or $(MAKECMDGOALS),figures)
$(if $(filter clean,$(goals)),$(if $(word 2,$(goals)),$(error make clean stands alone: make clean && make ...)))

make_rules = $(call quoted,$(if $(works),$(VENV_PYTHON),$(PYTHON))) -I -S -B scripts/make_rules.py
# What the rules refer to: the files that every figure depends on, and the command that builds one.
always = lock/run.txt scripts/run_notebook.py | $(VENV)/.installed
build = @$(run_notebook)
folders = --raw $(call quoted,$(RAW)) --out $(call quoted,$(OUT))
built = @$(if $(summary),$(summary) $@,$(info $@ lies in $(OUT)/$@.pdf, .png and .json))
places = $(info the figures lie in $(OUT)/, the claims table is $(OUT)/claims.html)
# With another RAW than raw/ the rules define `summary`, which ends a build, and fails where something is left out.
and_summary = $(if $(summary),; status=$$?; $(summary) $(drawn) && exit $$status)

ifneq ($(filter-out help $(others),$(goals)),)
said := $(shell $(make_rules) write $(call quoted,$(RAW)) $(call quoted,$(OUT)) $(call quoted,$(PARAMETERS)))
ifneq ($(.SHELLSTATUS),0)
$(error $(or $(said),the rules could not be written with $(make_rules)))
endif
include $(subst $(blank),\ ,$(OUT))/executed/rules.mk
$(if $(filter figures claims,$(goals)),$(if $(notes),$(info $(notes))))
endif

.DEFAULT:
	$(if $(shell test -e $(call quoted,$@) && echo yes),,$(error there is no $@, neither goal nor file.$(shell \
	  $(make_rules) near $(call quoted,$@)) `make help` lists all goals))

# ---- the rest -------------------------------------------------------------------------------------------------------
help:  ## list what make does
	@sed -n 's/^\([a-z-]*\):.*  ## /\1\t/p' Makefile | expand -t 14
	@echo; echo 'The figures, each also a goal of its own (make fig4b), by notebook:'; $(make_rules) list

# Made anew when its lock changes, or when the Python it was made of has gone.
$(VENV)/.installed: lock/run.txt lock/uv.txt pyproject.toml $(if $(works),,FORCE)
	@scripts/set_up.sh $(VENV) lock/run.txt $(call quoted,$(PYTHON))
.venv-lab/.installed .venv-browser/.installed .venv-bench/.installed .venv-energies/.installed .venv-multiverse/.installed .venv-publish/.installed: \
  .venv-%/.installed: lock/%.txt lock/uv.txt pyproject.toml
	@scripts/set_up.sh .venv-$* lock/$*.txt $(call quoted,$(PYTHON)) $(filter energies,$*)
# One after the other, since both write lib/coldbond.egg-info.
.venv-publish/.installed: | $(VENV)/.installed

# explore.ipynb shows a page, which `make test-browser` looks at.
NBVAL = $(kernels) $(VENV_PYTHON) -m pytest -q -n $(jobs) --dist loadfile notebooks --ignore notebooks/explore.ipynb \
  --nbval --nbval-current-env --nbval-sanitize-with tests/nbval_sanitize.cfg
in_drafts = unset MAKEFLAGS MFLAGS MAKELEVEL; drafts=$$(mktemp -d); trap 'rm -rf "$$drafts"' EXIT; export COLDBOND_FIGURES="$$drafts"
test: $(VENV)/.installed  ## check the style, the library, the build, and the outputs that the notebooks store
	@$(in_drafts); failed=0; \
	$(VENV_PYTHON) -m ruff check --quiet && $(VENV_PYTHON) -m ruff format --check --quiet || failed=1; \
	$(VENV)/bin/lint-imports --verbose >"$$drafts/layers" || { cat "$$drafts/layers"; failed=1; }; \
	$(VENV_PYTHON) -m mypy || failed=1; \
	$(VENV_PYTHON) -m pytest -q -n logical || failed=1; \
	$(NBVAL) || failed=1; \
	exit $$failed
coverage: $(VENV)/.installed  ## run the tests and print the lines of the library that none of them runs; 40 % slower
	@$(in_drafts); $(VENV_PYTHON) -m pytest -q -n logical --cov --cov-report=term-missing:skip-covered --cov-fail-under=90
nbval: $(VENV)/.installed  ## check the outputs that the notebooks store, and nothing else
	@$(in_drafts); $(NBVAL)

test-browser: .venv-lab/.installed .venv-browser/.installed  ## drive JupyterLab, the explore page and the site in a browser, chromium
	@tests/install_chromium.sh && unset MAKEFLAGS MFLAGS MAKELEVEL && .venv-browser/bin/python -m pytest -q -rsP tests/browser.py tests/browser_site.py

formats: $(VENV)/.installed  ## write docs/formats.md, the list of formats that are read
	@$(VENV_PYTHON) scripts/formats_page.py >docs/formats.md.new && mv docs/formats.md.new docs/formats.md

# Kernels start in the folder of their notebook, so the recordings' is named whole.
no_folder = echo $(call quoted,there is no folder $(RAW): name that of your recordings with RAW=) >&2; exit 1
with_raw = raw=$$(cd $(call quoted,$(RAW)) 2>/dev/null && pwd) || { $(no_folder); }; COLDBOND_RAW="$$raw"
# JupyterLab asks no other host for news, for a newer version of itself (the extension in page_config.json), or for
# extensions.
quiet = --LabApp.app_settings_dir=$(call quoted,$(CURDIR)/scripts/jupyterlab) --LabApp.extension_manager=readonly
lab: .venv-lab/.installed  ## open the notebooks in JupyterLab, which has an environment of its own
	@$(with_raw) .venv-lab/bin/python -m jupyter lab --ServerApp.root_dir=$(call quoted,$(CURDIR)/notebooks) $(quiet) \
	  $$([ "$$(id -u)" != 0 ] || echo --allow-root)

manifest: $(VENV)/.installed  ## list the recordings of a folder in its manifest (make manifest RAW=your/recordings)
	@$(VENV_PYTHON) -m coldbond init $(call quoted,$(RAW))
check: $(VENV)/.installed  ## print all problems of a manifest and its recordings (make check RAW=your/recordings)
	@$(VENV_PYTHON) -m coldbond check $(call quoted,$(RAW))

explore: $(VENV)/.installed  ## show recordings as a web page (make explore RAW=your/recordings); Ctrl-C ends it
	@$(with_raw) exec $(VENV_PYTHON) -m coldbond.explore

notebooks: $(patsubst notebooks/%.ipynb,renew-%,$(filter-out %/explore.ipynb,$(wildcard notebooks/*.ipynb)))  ## renew the outputs that the notebooks store
renew-%: $(VENV)/.installed
	@$(run_notebook) notebooks/$*.ipynb

raw: $(VENV)/.installed  ## write the synthetic recordings in raw/ anew
	@$(VENV_PYTHON) -m twin

energies: .venv-energies/.installed  ## compute the energies in raw/energies anew, in an environment with torch
	@.venv-energies/bin/python -m coldbond.energies

# A run from seed 20000 on replaces what docs/coverage.md says of the figures and cells in ONLY; empty, of all.
REALISATIONS = 50
SEED = 20000
ONLY =
closure: $(VENV)/.installed  ## count how often the notebooks find the truth of simulated recordings (ONLY="fig4b shorts")
	@$(VENV_PYTHON) tests/closure.py $(REALISATIONS) $(SEED) $(ONLY)

SCHEDULER =
multiverse: .venv-multiverse/.installed  ## run the notebooks under other defensible choices (SCHEDULER=tcp://host:port)
	@.venv-multiverse/bin/python -m coldbond.multiverse --raw $(call quoted,$(RAW)) --out $(call quoted,$(OUT)) \
	  $(if $(SCHEDULER),--scheduler $(call quoted,$(SCHEDULER)))$(and_summary)

publish = @.venv-publish/bin/python -m coldbond.publish.$@ --raw $(call quoted,$(RAW)) --out $(call quoted,$(OUT))$(and_summary)
site: .venv-publish/.installed  ## make a web site of the figures, OUT/site/index.html (make site RAW=... OUT=...)
	$(publish)
report: .venv-publish/.installed  ## typeset the figures with captions, numbers and claims in one document, OUT/report.pdf
	$(publish)
crate: .venv-publish/.installed  ## pack recordings, code and figures with a record of the run, an RO-Crate, OUT/ro-crate.zip
	$(publish)
test-publish: .venv-publish/.installed  # the report and the crate, whose packages `make test` does not have
	@.venv-publish/bin/python -m pytest -q -p no:cacheprovider tests/test_report.py tests/test_crate.py

survey: .venv-multiverse/.installed  ## summarise every cell of RAW in one table, OUT/survey.csv (SCHEDULER=tcp://host:port)
	@.venv-multiverse/bin/python -m coldbond.survey --raw $(call quoted,$(RAW)) --out $(call quoted,$(OUT)) \
	  $(if $(SCHEDULER),--scheduler $(call quoted,$(SCHEDULER)))

test-multiverse: .venv-multiverse/.installed  # a small grid and few cells on a real cluster, one of whose workers is killed
	@.venv-multiverse/bin/python -m pytest -q -p no:cacheprovider tests/test_multiverse.py tests/test_survey.py

DATA = $(COLDBOND_REAL)
validation: $(VENV)/.installed  ## compare with known numbers of recordings of others, docs/validation.md (DATA=local/copies)
	@$(VENV_PYTHON) -m coldbond.validation $(if $(DATA),--data $(call quoted,$(DATA)))

fuzz: $(VENV)/.installed  ## read 30 000 mutated files and write docs/fuzz.md (six minutes)
	@unset MAKEFLAGS MFLAGS MAKELEVEL; $(VENV_PYTHON) tests/fuzz.py

bench: .venv-bench/.installed $(VENV)/.installed  ## measure builds, readers and fits beside others (half an hour)
	@unset MAKEFLAGS MFLAGS MAKELEVEL; .venv-bench/bin/python -m bench

scale: .venv-multiverse/.installed  ## measure time and memory for up to 1e8 records and 500 cells (half an hour, 20 GB of disk)
	@.venv-multiverse/bin/python bench/bench_scale.py

# Without addresses, and for every Python from 3.11 on.
LOCK = $(VENV_PYTHON) -m uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-header \
  --no-annotate --no-emit-index-url --no-emit-find-links
lock: $(VENV)/.installed  ## take up newer versions of the packages within the ranges of pyproject.toml
	$(LOCK) --extra test -o lock/run.txt pyproject.toml
	$(LOCK) --extra lab -o lock/lab.txt pyproject.toml
	$(LOCK) --extra bench -o lock/bench.txt pyproject.toml
	echo torch | $(LOCK) --excludes /dev/stdin --extra energies -o lock/energies.txt pyproject.toml
	$(LOCK) --group browser -o lock/browser.txt
	$(LOCK) --extra multiverse -o lock/multiverse.txt pyproject.toml
	$(LOCK) --extra publish -o lock/publish.txt pyproject.toml
	echo uv | $(LOCK) -o lock/uv.txt -

licences: $(VENV)/.installed  ## write docs/licences.md, the licences of the packages in lock/run.txt
	@$(VENV_PYTHON) scripts/licences_page.py >docs/licences.md.new && mv docs/licences.md.new docs/licences.md

clean:  ## remove what git does not hold of the figures, and what killed runs left; environments stay
	@cd $(call quoted,$(OUT)) || exit; \
	for notebook in executed/*.ipynb; do name=$$(basename "$$notebook" .ipynb); \
	  rm -f "$$name.pdf" print/"$$name".* source_data/"$$name"_*.csv; done; \
	rmdir print source_data 2>/dev/null; rm -rf executed .staging-* site .site-* report.pdf ro-crate.zip
