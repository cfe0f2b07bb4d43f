#!/bin/sh
# Makes the environment FOLDER with PYTHON: exactly the packages of LOCK, by their hashes, and this project from lib/.
#     lib/set_up.sh FOLDER LOCK PYTHON [EXTRA]
# What LOCK leaves out of the project's EXTRA, which is torch, pip adds: of its builds, some with several GB for a GPU,
# it takes the one that the user's own settings lead to (PIP_FIND_LINKS, PIP_EXTRA_INDEX_URL); uv heeds neither.
# FOLDER/.installed is written last: make takes it as the sign that all went well. Always anew, so that nothing is left
# of an older lock; uv, where the package index has it, does that in seconds, pip in minutes. The lock is complete, and
# pip 23 takes what is asked for with an extra, coverage[toml], for a package without a version.
set -eu
folder=$1 lock=$2 python=$3

fail() {
    echo "$folder: $1" >&2
    exit 1
}

"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || fail "$python is no Python 3.11 or later: name one with make PYTHON=..."
[ ! -e "$folder" ] || grep -qs "^prompt = 'coldbond'" "$folder/pyvenv.cfg" || fail "make did not make this folder and would replace it: move it away"

# Debian keeps the module that venv needs in a package of its own.
if ! "$python" -c 'import ensurepip' 2>/dev/null; then
    package=$("$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')
    { [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; } || fail "$python lacks venv: install it (apt install $package)"
    echo "installing $package ..."
    { apt-get -qq update && apt-get -qq install -y "$package"; } >/dev/null || fail "apt-get could not install $package"
fi

echo "setting up $folder from $lock (once; minutes where uv is not to be had) ..."
rm -rf "$folder"
"$python" -m venv --prompt coldbond "$folder"
log=$folder/set_up.log
python=$folder/bin/python
{
    { "$python" -m pip install --require-hashes -r lock/uv.txt && "$python" -m uv pip sync --python "$python" --require-hashes "$lock"; } ||
        "$python" -m pip install --require-hashes --no-deps -r "$lock"
} >"$log" 2>&1 || fail "the packages of $lock could not be installed: $(grep -i error "$log" | tail -n 1) (see $log)"
if [ $# -gt 3 ]; then set -- ".[$4]"; else set -- . --no-deps; fi
"$python" -m pip install --no-build-isolation --editable "$@" >>"$log" 2>&1 || fail "the project could not be installed (see $log)"
touch "$folder/.installed"
