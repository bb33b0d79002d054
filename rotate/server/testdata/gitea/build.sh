#!/usr/bin/env bash
# Builds the Gitea of TestRealGitea from its Go module, with SQLite, into a
# folder, which TILL_GITEA then names (a quarter of an hour and more on two
# cores, 3 GB of disk; needs a C compiler):
#
#   rotate/server/testdata/gitea/build.sh ~/gitea
#   TILL_GITEA=~/gitea go test ./rotate/server -run TestRealGitea
#
# 1.26.0 is the newest version all of whose modules the module proxy serves.
# The folder keeps the source as well: templates and texts are read from there.
set -euo pipefail
version=v1.26.0
dir=${1:?usage: build.sh FOLDER}
mkdir -p "$dir"
cd "$dir"
module=$(go mod download -json "code.gitea.io/gitea@$version" | sed -n 's/^\t"Dir": "\(.*\)",$/\1/p')
rm -rf source
cp -r "$module" source
chmod -R u+w source
cd source
CGO_ENABLED=1 go build -tags "sqlite sqlite_unlock_notify" -o ../gitea .
