#!/usr/bin/env bash
# Times till against public yardsticks on the same machine in one run.
#
#   docs/bench.sh [GIT_REPOSITORY [SOURCE_TREE]]
#
# GIT_REPOSITORY: a clone to read the history of (default: this one; the
# published figures are for a clone of https://github.com/git/git, master).
# SOURCE_TREE: a folder of source (default: Go's own src).
# Needs git, go and ripgrep. Prints the median of RUNS runs (default 7), in
# milliseconds, and the ratio to the yardstick.
set -euo pipefail
cd "$(dirname "$0")/.."
repo=$(realpath "${1:-.}")
tree=$(realpath "${2:-$(go env GOROOT)/src}")
runs=${RUNS:-7}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
till=$work/till
go build -trimpath -o "$till" ./cmd/till

median() { # median of the wall times of a command, in ms
  local i t
  "$@" >/dev/null 2>&1 || true # warm the caches
  for ((i = 0; i < runs; i++)); do
    t=$( { TIMEFORMAT=%R; time "$@" >/dev/null 2>&1 || true; } 2>&1 )
    echo "$t"
  done | sort -n | awk '{ v[NR] = $1 } END { printf "%.1f", 1000 * v[int((NR + 1) / 2)] }'
}
row() { # name, till's ms, yardstick, its ms
  awk -v n="$1" -v a="$2" -v y="$3" -v b="$4" 'BEGIN { printf "%-28s %10.1f ms   %-34s %10.1f ms   %5.2f x\n", n, a, y, b, a / b }'
}

# A commit of six files.
mkdir "$work/six" && cd "$work/six" && git init -q .
for i in 1 2 3 4 5 6; do head -c 20000 "$(find "$tree" -name '*.go' -size +20k | sort | sed -n "${i}p")" > "f$i.go" 2>/dev/null || seq 4000 > "f$i.go"; done
git add . && git -c user.name=x -c user.email=x@y -c commit.gpgsign=false commit -qm x
for i in 1 2 3 4 5 6; do echo "// $i" >> "f$i.go"; done
git add .
RUNS_SAVED=$runs; runs=$((runs * 5))
row "staged, 6 files" "$(median "$till" scan --staged)" "git diff --cached -U0" "$(median git diff --cached -U0)"

# 50,000 tracked files, one changed.
mkdir "$work/many" && cd "$work/many" && git init -q .
for i in $(seq 1 500); do mkdir "d$i"; done
for i in $(seq 1 500); do for j in $(seq 1 100); do echo "$i $j" > "d$i/f$j"; done; done
git add . && git -c user.name=x -c user.email=x@y -c commit.gpgsign=false commit -qm x
echo changed >> d1/f1 && git add d1/f1
row "staged, 50,000 tracked" "$(median "$till" scan --staged)" "git diff --cached --quiet" "$(median git diff --cached --quiet)"
runs=$RUNS_SAVED

cd "$work"
row "files, $(du -sm "$tree" | cut -f1) MB" "$(median "$till" scan "$tree")" "rg -uu -c -i, ten words" \
  "$(median rg -uu -c -i 'password|secret|token|api_key|akia|ghp_|xoxb|sk_live|begin rsa|bearer' "$tree")"

cd "$repo"
row "history, $(git rev-list --count --all) commits" "$(runs=3 median "$till" scan --history)" "git cat-file --batch-all-objects" \
  "$(runs=3 median git cat-file --batch-all-objects --batch --unordered --buffer)"
