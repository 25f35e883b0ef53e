# shellcheck shell=bash
# What every script in tools/ starts from; sourced, never run.
#
# Sets:    root               the checkout
#          CARGO_TARGET_DIR   one build folder outside the checkout, so that a fresh clone
#                             builds warm: SONOCATH_TARGET_DIR, else CARGO_TARGET_DIR as it
#                             stands, else the user's cache folder
# Defines: say, fail
set -euo pipefail

# shellcheck disable=SC2034 # for the scripts that source this
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
export CARGO_TARGET_DIR="${SONOCATH_TARGET_DIR:-${CARGO_TARGET_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/sonocath/target}}"

# A toolchain that rustup has just installed is not on the PATH of an older shell.
if ! command -v cargo >/dev/null && [[ -x "${CARGO_HOME:-$HOME/.cargo}/bin/cargo" ]]; then
    PATH="${CARGO_HOME:-$HOME/.cargo}/bin:$PATH"
fi

say() { printf '==> %s\n' "$*"; }

fail() {
    printf 'FAILED: %s\n' "$*" >&2
    exit 1
}
