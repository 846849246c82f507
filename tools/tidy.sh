#!/bin/bash
# clang-tidy over the sources of the product: all of them, or with --changed those that differ from main and those that
# include a header that does (all of them where git cannot tell).
set -euo pipefail
cd "$(dirname "$0")/.."
# Not tests/: their tables of rows capture structured bindings (CAPTURE), which clang 14 cannot compile.
rooms=(base partition limiter proxy auth conf gateway)

sources_that_include() {
    local header
    while read -r header; do
        grep --recursive --files-with-matches --fixed-strings --include='*.cpp' "#include \"$header\"" "${rooms[@]}" || true
    done
}

sources=$(find "${rooms[@]}" -name '*.cpp' | sort)
if [ "${1:-}" = --changed ]; then
    fork=$(git merge-base HEAD origin/main 2>/dev/null || git merge-base HEAD main 2>/dev/null || true)
    if [ -n "$fork" ]; then
        changed=$({ git diff --name-only --diff-filter=d "$fork"; git ls-files --others --exclude-standard; } | sort -u)
        includers=$(sed -n '/\.hpp$/p' <<<"$changed" | sources_that_include)
        sources=$(comm -12 <(echo "$sources") <(printf '%s\n' "$changed" "$includers" | sort -u))
    fi
elif [ $# -gt 0 ]; then
    sed -n '2,3s/^# //p' "$0" >&2
    exit 2
fi
[ -n "$sources" ] || exit 0

lint() {
    xargs --no-run-if-empty --max-procs="$(nproc)" --max-args=1 clang-tidy -p build/dev --quiet "$@" 2> >(sed '/warnings\? generated/d' >&2)
}

cmake --preset dev >/dev/null
# clang 14's analyzer does not know how a coroutine runs, and finds null pointers inside Asio. All other checks work there.
awaiting=$(xargs grep --files-with-matches --extended-regexp '\bco_(await|return)\b' <<<"$sources" || true)
failed=0
lint <<<"$(comm -23 <(echo "$sources") <(sort <<<"$awaiting"))" || failed=1
lint '--checks=-clang-analyzer-*' <<<"$awaiting" || failed=1
exit "$failed"
