#!/usr/bin/env bash
# Measures till scan --history against git on the same machine in one run.
#
#   docs/bench-history.sh [GIT_REPOSITORY]
#
# GIT_REPOSITORY: a clone to read the history of (default: this one; the
# published figures are for a clone of https://github.com/git/git, master). It is
# cloned into a temporary folder first, which takes its size several times over,
# and repacked there twice, which takes minutes.
# Needs git, go and GNU time (/usr/bin/time). RUNS is how many runs the medians
# are of (default 3), TILL another binary to measure, FLAGS further flags for it.
set -euo pipefail
cd "$(dirname "$0")/.."
source=$(realpath "${1:-.}")
runs=${RUNS:-3}
flags=${FLAGS:-}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
till=${TILL:-$work/till}
[ -x "$till" ] || go build -trimpath -o "$till" ./cmd/till
export XDG_STATE_HOME=$work/state HOME=$work GIT_CONFIG_NOSYSTEM=1
export GIT_AUTHOR_NAME=x GIT_AUTHOR_EMAIL=x@example.org GIT_COMMITTER_NAME=x GIT_COMMITTER_EMAIL=x@example.org

measure() { # sets wall and cpu (seconds) and rss (MB): medians of a command; 1 and 2 are reports, not failures
  local i
  for ((i = 0; i < runs; i++)); do
    /usr/bin/time -q -f '%e %U %S %M' -o "$work/time" "$@" >/dev/null 2>"$work/err" || [ $? -le 2 ] || { cat "$work/err" >&2; exit 1; }
    tail -1 "$work/time"
  done | awk '{ print $1, $2 + $3, $4 / 1024 }' >"$work/times"
  wall=$(cut -d' ' -f1 "$work/times" | sort -n | sed -n "$(((runs + 1) / 2))p")
  cpu=$(cut -d' ' -f2 "$work/times" | sort -n | sed -n "$(((runs + 1) / 2))p")
  rss=$(cut -d' ' -f3 "$work/times" | sort -n | tail -1)
}
row() { # name, command…: one line, with the ratio to the wall time in $base (what: $of)
  local name=$1
  shift
  measure "$@"
  awk -v n="$name" -v w="$wall" -v c="$cpu" -v m="$rss" -v b="${base:-0}" -v of="${of:-}" \
    'BEGIN { printf "%-34s %8.2f s wall %8.2f s CPU %6.0f MB", n, w, c, m; if (b > 0) printf "   %5.2f x %s", w / b, of; print "" }'
}
git_reads() { # a repository: git's own way through all objects is the yardstick
  base=
  row "  git cat-file, all objects" git -C "$1" cat-file --batch-all-objects --batch --unordered --buffer
  base=$wall of="git cat-file"
}
scan() { row "$1" "$till" -C "$2" scan --history --no-progress --no-cache $flags; }

echo "== $(basename "$source"): $(git -C "$source" rev-list --count --all) commits"
git clone -q --mirror "$source" "$work/whole"
rm -rf "$work/whole/till"
git_reads "$work/whole"
scan "till" "$work/whole"
whole=$wall
base=$whole of="two cores"
GOMAXPROCS=1 scan "till, one core (GOMAXPROCS=1)" "$work/whole"
base=
row "  git log -p -U0 --all" git -C "$work/whole" log -p -U0 --all

echo "== again"
base=$whole of="the first scan"
"$till" -C "$work/whole" scan --history --no-progress $flags >/dev/null 2>&1 || true
row "till, nothing new" "$till" -C "$work/whole" scan --history --no-progress $flags
head=$(git -C "$work/whole" rev-parse HEAD) tree=$(git -C "$work/whole" rev-parse HEAD^{tree})
for i in $(seq 10); do # each changes one file at the top
  blob=$(git -C "$work/whole" hash-object -w --stdin <<<"new $i")
  tree=$( (git -C "$work/whole" ls-tree "$tree" | grep -v '	till-bench$'; printf '100644 blob %s\ttill-bench\n' "$blob") | git -C "$work/whole" mktree)
  head=$(git -C "$work/whole" commit-tree -p "$head" -m "new $i" "$tree")
done
git -C "$work/whole" update-ref refs/heads/till-bench "$head"
cp -r "$work/whole/till" "$work/record"
# The first run after the commits is what counts: the record is put back for each.
for ((i = 0; i < runs; i++)); do
  rm -rf "$work/whole/till" && cp -r "$work/record" "$work/whole/till"
  save=$runs runs=1
  row "till, after 10 new commits" "$till" -C "$work/whole" scan --history --no-progress $flags
  runs=$save
done
git -C "$work/whole" update-ref -d refs/heads/till-bench
row "  range of 10 commits" "$till" -C "$work/whole" scan --range "$head~10..$head" --no-progress

echo "== half of the commits"
commits=$(git -C "$work/whole" rev-list --count HEAD)
middle=$(git -C "$work/whole" rev-list --topo-order --reverse HEAD | sed -n "$((commits / 2))p")
git init -q --bare "$work/half"
git -C "$work/half" fetch -q --no-tags "$work/whole" "HEAD:refs/heads/all" 2>/dev/null
git -C "$work/half" update-ref refs/heads/all "$middle"
git -C "$work/half" repack -adq
git -C "$work/half" prune --expire=now
base=$whole of="the whole"
scan "till" "$work/half"

echo "== many small packs, and loose objects"
git init -q --bare "$work/small"
git -C "$work/half" rev-list --objects all | cut -d' ' -f1 >"$work/objects"
split -n l/60 -d "$work/objects" "$work/slice-"
for s in "$work"/slice-*; do git -C "$work/half" pack-objects -q "$work/small/objects/pack/pack" <"$s" >/dev/null; done
git -C "$work/half" pack-objects -q --stdout < <(tail -2000 "$work/objects") | git -C "$work/small" unpack-objects -q
git -C "$work/small" update-ref refs/heads/all "$middle"
git_reads "$work/small"
scan "till" "$work/small"
rm -rf "$work/small"

for depth in 250 0; do
  echo "== repack -f --depth=$depth"
  git -C "$work/half" repack -adfq --depth=$depth --window=10
  git_reads "$work/half"
  scan "till" "$work/half"
done
rm -rf "$work/half"

echo "== large binaries: 40 of 16 MB, 8 versions of one, one of 600 MB"
git init -q "$work/large"
for i in $(seq 40); do head -c 16000000 /dev/urandom >"$work/large/asset-$i.bin"; done
git -C "$work/large" add . && git -C "$work/large" commit -qm assets
for i in $(seq 8); do head -c 100000 /dev/urandom >>"$work/large/asset-1.bin"; git -C "$work/large" commit -qam "$i"; done
head -c 600000000 /dev/urandom >"$work/large/film.bin"
git -C "$work/large" add . && git -C "$work/large" commit -qm film
git -C "$work/large" repack -adq
git_reads "$work/large"
scan "till" "$work/large"
