# Rebuilds the paper's figures; `make help` lists what else it does. Needs GNU Make 4.2 and Python 3.11, nothing more.

of_full_cell = {role: full-cell-interface, part: total, circuits: [L-R-RQ-RQ-W, L-R-RQ-RQ-RQ-W, L-R-RQ-RQ-RQ-Q, L-R-RQ-RQ-RQ-RQ-W]}
of_lithium = {role: lithium, main: Li, reference: Li, looked_for: [In, LiIn, Li2O, Li3N], enlarged: [35.0, 37.5]}

define TABLE
#              figure   notebook                recordings                        parameters
$(call figure, fig2g  , fig2g_raman          , raman:LLZ+InN-LLZ+Ne            , )
$(call figure, fig2h  , fig2h_xrd            , phase:LLZ+InN-LLZ               , )
$(call figure, figS2  , fig2h_xrd            , phase:LLZ-powder+LLZ            , )
$(call figure, figS11 , fig2h_xrd            , lithium:Li                      , $(of_lithium))
$(call figure, fig3a  , fig3a_reaction_energy, energies                        , )
$(call figure, figS3  , figS3_conductivity   , conductivity:LLZ arrhenius:LLZ? electronic:LLZ+RT-MCL-LLZ?, )
$(call figure, fig3ghi, fig3ghi_xps          , surface:LLZ+InN-LLZ+HT-MCL-LLZ+RT-MCL-LLZ, )
$(call figure, figS24 , fig3ghi_xps          , cycled-surface:RT-MCL-LLZ+Li    , role: cycled-surface)
$(call figure, fig4b  , fig4b_ccd            , ccd:LLZ+In-LLZ+RT-MCL-LLZ       , )
$(call figure, figS16 , fig4b_ccd            , ccd:HT-MCL-LLZ                  , )
$(call figure, fig4cd , fig4cd_long_cycling  , long-cycling:RT-MCL-LLZ         , )
$(call figure, figS17 , fig4cd_long_cycling  , long-cycling:HT-MCL-LLZ         , windows: [0.76])
$(call figure, fig4e  , fig4e_impedance      , interface:RT-MCL-LLZ+LLZ        , )
$(call figure, figS23 , fig4e_impedance      , interface:LLZ                   , panel: spectra)
$(call figure, figS19 , fig4e_impedance      , full-cell-interface:RT-MCL-LLZ  , $(of_full_cell))
$(call figure, fig4f  , fig4f_full_cell      , full-cell                       , )
$(call figure, figS18 , fig4f_full_cell      , full-cell                       , panel: polarization)
$(call figure, fig4gh , fig4gh_rate          , rate                            , )
$(call figure, fig5h  , fig5h_xrd_cycled     , cycled-phase:LLZ+RT-MCL-LLZ instrument?, )
$(call figure, fig5i  , fig5i_xps_zr         , cycled-surface:LLZ+RT-MCL-LLZ   , )
endef
# Recordings are those that the manifest holds for a role, or for role:sample+sample; several such selections stand
# with a blank between, and a figure does without those that end in a question mark. Parameters are YAML, as papermill
# takes them; `make fig4b PARAMETERS='samples: [A, B]'` adds to them and wins. With another RAW than raw/, whose
# samples have other names, the first figure of a notebook and a role shows all its samples; a later one is drawn where
# its samples are held.

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
run_notebook = $(kernels) $(VENV_PYTHON) $(if $(is_warm),-m warm_kernel) lib/run_notebook.py

quoted = '$(subst ','\'',$(1))'

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
unexport COLDBOND_RAW COLDBOND_FIGURES COLDBOND_BUILT MPLBACKEND PYTHONPATH PYTHONHOME
# Every figure imports the same packages: compiled anew each time they cost more than the figure.
unexport PYTHONDONTWRITEBYTECODE

figures:  ## rebuild what is out of date (make figures RAW=your/recordings OUT=your/figures; one figure: make fig4b)
claims: figures  ## the same, then show what the paper states against what was found; fails where a verdict has changed
	@$(VENV_PYTHON) -m coldbond.bundle.claims $(call quoted,$(OUT))
.PHONY: figures claims help test nbval test-browser test-multiverse lab explore notebooks raw energies bench scale closure multiverse survey lock clean FORCE

# ---- rules from the table, where the goal is a figure ---------------------------------------------------------------
goals = $(or $(MAKECMDGOALS),figures)
$(if $(filter clean,$(goals)),$(if $(word 2,$(goals)),$(error make clean stands alone: make clean && make ...)))
ifneq ($(filter-out help test nbval test-browser test-multiverse lab explore notebooks raw energies bench scale closure survey lock clean,$(goals)),)

hash := \#
$(foreach sign,: ; % * ? [ ] ~ | $(hash) $$,$(if $(findstring $(sign),$(OUT)),$(error make takes no OUT with a $(sign) in it)))
blank := $(subst ,, )
comma := ,
dollar := $$
unique = $(if $(1),$(firstword $(1)) $(call unique,$(filter-out $(firstword $(1)),$(1))))
same = $(if $(subst x$(1)x,,x$(2)x)$(subst x$(2)x,,x$(1)x),,same)

# Words ROLE:PATH and ROLE/SAMPLE:PATH, the paths escaped for Make but for blanks, which are written ␣ (manifest.py).
any_python := $(if $(works),$(VENV_PYTHON),$(PYTHON))
held := $(shell exec 2>&1; $(call quoted,$(any_python)) -I -S -B lib/coldbond/bundle/manifest.py $(call quoted,$(RAW)))
ifneq ($(.SHELLSTATUS),0)
$(error $(or $(held),$(RAW)/manifest.csv could not be read with $(any_python)))
endif
of_paper := $(shell test $(call quoted,$(RAW)) -ef raw && echo yes)
library := $(filter-out $(addprefix lib/coldbond/,$(addsuffix /%,explore multiverse survey energies)),$(wildcard lib/coldbond/*.py lib/coldbond/*/*.py lib/coldbond/*/*/*.py)) lib/run_notebook.py lock/run.txt

# Of one selection, such as ccd:LLZ+In-LLZ: its role, its samples where they are to be told apart, its keys in `held`.
role = $(firstword $(subst :, ,$(subst ?,,$(1))))
samples = $(if $(or $(of_paper),$(filter $(notebook)/$(role),$(shown))),$(subst +, ,$(subst ?,,$(word 2,$(subst :, ,$(1))))))
keys = $(if $(samples),$(addprefix $(role)/,$(samples)),$(role))

pick = $(patsubst $(1):%,%,$(filter $(1):%,$(held)))
recordings = $(subst ␣, ,$(foreach key,manifest $(all_keys),$(call pick,$(key))))
parameters = samples: [$(subst $(blank),$(comma) ,$(strip $(all_samples)))]
built_with = $(strip $(notebook) $(RAW) $(parameters) $(extra) $(PARAMETERS))
pdf = $(subst $(blank),\ ,$(OUT))/$(name).pdf

define figure
$(eval name := $(strip $(1)))
$(eval notebook := notebooks/$(strip $(2)).ipynb)
$(eval extra := $(strip $(4)))
$(if $(5),$(error the parameters of $(name) hold a comma: write $(dollar)(comma) for it in the table))
$(eval all_keys := $(foreach selection,$(3),$(call keys,$(selection))))
$(eval all_samples := $(call unique,$(foreach selection,$(3),$(call samples,$(selection)))))
$(eval needed_keys := $(foreach selection,$(filter-out %?,$(3)),$(call keys,$(selection))))
$(eval missing := $(foreach key,$(needed_keys),$(if $(call pick,$(key)),,$(subst /,:,$(key)))))
$(eval $(if $(missing),$(left_out),$(rule)))
$(eval shown += $(foreach selection,$(3),$(notebook)/$(call role,$(selection))))
$(if $(missing),,$(eval built += $(name)))
endef

define rule
.PHONY: $(name)
$(name): $(pdf)
$(pdf): $(notebook) $(library) $(recordings) | $(VENV)/.installed
$(pdf): $(if $(call same,$(built_with),$(strip $(file <$(OUT)/executed/$(name).args))),,FORCE)
	@$(run_notebook) $(notebook) $(name) --raw $$(call quoted,$$(RAW)) --out $$(call quoted,$$(OUT)) \
	  --parameters '$(parameters)' $(call quoted,$(extra)) $$(call quoted,$$(PARAMETERS))
endef

define left_out
$(if $(filter figures claims,$(goals)),$(info $(name) is left out: $(RAW) holds no recording of $(missing)))
.PHONY: $(name)
$(name): ; $$(error $(name): $$(RAW) holds no recording of $(missing))
endef

$(eval $(TABLE))
$(if $(filter figures claims,$(goals)),$(if $(built),,$(error none of the figures can be built from $(RAW))))

# Those that take longest first, lest one of them is left for the end alone.
slow := $(filter fig4e figS23 fig5h fig4cd,$(built))
figures: $(foreach name,$(slow) $(filter-out $(slow),$(built)),$(pdf))

# The claims table, made of the numbers of all these figures and of what the paper states, or of RAW's own claims.yml.
table := $(subst $(blank),\ ,$(OUT))/claims.pdf
tested := tested: [$(subst $(blank),$(comma) ,$(strip $(built)))]
stated := $(or $(subst ␣, ,$(call pick,claims)),raw/claims.yml)
figures: $(table)
$(table): notebooks/claims.ipynb $(library) $(wildcard lib/coldbond/bundle/claims/*.html $(OUT)/multiverse/multiverse.json) $(stated) $(foreach name,$(built),$(pdf)) \
  | $(VENV)/.installed
$(table): $(if $(call same,notebooks/claims.ipynb $(RAW) $(tested),$(strip $(file <$(OUT)/executed/claims.args))),,FORCE)
	@$(run_notebook) notebooks/claims.ipynb claims --raw $(call quoted,$(RAW)) --out $(call quoted,$(OUT)) \
	  --parameters '$(tested)'
renew-claims: | $(table)
endif

# ---- the rest -------------------------------------------------------------------------------------------------------
help:  ## list what make does
	@sed -n 's/^\([a-z-]*\):.*  ## /\1\t/p' Makefile | expand -t 14

# Made anew when its lock changes, or when the Python it was made of has gone.
$(VENV)/.installed: lock/run.txt lock/uv.txt pyproject.toml $(if $(works),,FORCE)
	@lib/set_up.sh $(VENV) lock/run.txt $(call quoted,$(PYTHON))
.venv-lab/.installed .venv-browser/.installed .venv-bench/.installed .venv-energies/.installed .venv-multiverse/.installed: \
  .venv-%/.installed: lock/%.txt lock/uv.txt pyproject.toml
	@lib/set_up.sh .venv-$* lock/$*.txt $(call quoted,$(PYTHON)) $(filter energies,$*)

# explore.ipynb needs the packages of `make lab`, and its numbers come with the controls: `make test-browser` runs it.
NBVAL = $(kernels) $(VENV_PYTHON) -m pytest -q -n $(jobs) --dist loadfile notebooks --ignore notebooks/explore.ipynb \
  --nbval --nbval-current-env --nbval-sanitize-with tests/nbval_sanitize.cfg
in_drafts = unset MAKEFLAGS MFLAGS MAKELEVEL; drafts=$$(mktemp -d); trap 'rm -rf "$$drafts"' EXIT; export COLDBOND_FIGURES="$$drafts"
test: $(VENV)/.installed  ## check the style, the library, the build, and the outputs that the notebooks store
	@$(in_drafts); failed=0; \
	$(VENV_PYTHON) -m ruff check --quiet && $(VENV_PYTHON) -m ruff format --check --quiet || failed=1; \
	$(VENV_PYTHON) -m pytest -q -n logical --cov --cov-report=term:skip-covered --cov-fail-under=90 || failed=1; \
	$(NBVAL) || failed=1; \
	exit $$failed
nbval: $(VENV)/.installed  ## check the outputs that the notebooks store, and nothing else
	@$(in_drafts); $(NBVAL)

test-browser: .venv-lab/.installed .venv-browser/.installed  ## drive JupyterLab and Voila in a browser, chromium
	@tests/install_chromium.sh && unset MAKEFLAGS MFLAGS MAKELEVEL && .venv-browser/bin/python -m pytest -q -rsP tests/browser.py

# Kernels start in the folder of their notebook, so the recordings' is named whole.
with_raw = raw=$$(cd $(call quoted,$(RAW)) && pwd) && COLDBOND_RAW="$$raw"
lab: .venv-lab/.installed  ## open the notebooks in JupyterLab, which has an environment of its own
	@$(with_raw) .venv-lab/bin/python -m jupyter lab --ServerApp.root_dir=$(call quoted,$(CURDIR)/notebooks) \
	  $$([ "$$(id -u)" != 0 ] || echo --allow-root)

explore: .venv-lab/.installed  ## show one recording at a time as a web page (make explore RAW=your/recordings); Ctrl-C ends it
	@$(with_raw) .venv-lab/bin/python -m voila notebooks/explore.ipynb

notebooks: $(patsubst notebooks/%.ipynb,renew-%,$(filter-out %/explore.ipynb,$(wildcard notebooks/*.ipynb)))  ## renew the outputs that the notebooks store
renew-%: $(VENV)/.installed
	@$(run_notebook) notebooks/$*.ipynb

raw: $(VENV)/.installed  ## write the synthetic recordings in raw/ anew
	@$(VENV_PYTHON) -m twin

energies: .venv-energies/.installed  ## compute the energies in raw/energies anew, in an environment with torch
	@.venv-energies/bin/python -m coldbond.energies

REALISATIONS = 50
closure: $(VENV)/.installed  ## run the notebooks on new noise and count how often they find the truth
	@$(VENV_PYTHON) tests/closure.py $(REALISATIONS)

SCHEDULER =
multiverse: figures .venv-multiverse/.installed  ## run the notebooks under other defensible choices (SCHEDULER=tcp://host:port)
	@.venv-multiverse/bin/python -m coldbond.multiverse --raw $(call quoted,$(RAW)) --out $(call quoted,$(OUT)) \
	  $(if $(SCHEDULER),--scheduler $(call quoted,$(SCHEDULER)))

survey: .venv-multiverse/.installed  ## summarise every cell of RAW in one table, OUT/survey.csv (SCHEDULER=tcp://host:port)
	@.venv-multiverse/bin/python -m coldbond.survey --raw $(call quoted,$(RAW)) --out $(call quoted,$(OUT)) \
	  $(if $(SCHEDULER),--scheduler $(call quoted,$(SCHEDULER)))

test-multiverse: .venv-multiverse/.installed  # a small grid and few cells on a real cluster, one of whose workers is killed
	@.venv-multiverse/bin/python -m pytest -q -p no:cacheprovider tests/test_multiverse.py tests/test_survey.py

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
	echo uv | $(LOCK) -o lock/uv.txt -

clean:  ## remove PDFs, executed notebooks and what killed runs left; committed files and environments stay
	@cd $(call quoted,$(OUT)) || exit; \
	for notebook in executed/*.ipynb; do rm -f "$$(basename "$$notebook" .ipynb).pdf"; done; \
	rm -rf executed .staging-*
