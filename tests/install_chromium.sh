#!/bin/sh
# A browser for tests/browser.py: Debian's chromium, unless there is one.
set -eu
for name in chromium google-chrome chromium-browser; do
    if command -v "$name" >/dev/null; then exit; fi
done
{ [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; } || {
    echo "test-browser: no chromium is found: install it (apt install chromium)" >&2
    exit 1
}
echo "installing chromium ..."
{ apt-get -qq update && apt-get -qq install -y chromium; } >/dev/null || {
    echo "test-browser: apt-get could not install chromium" >&2
    exit 1
}
