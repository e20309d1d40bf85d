#!/bin/sh
# Make the lock files of requirements/ anew from pyproject.toml. Needs uv; the result names no index.
set -eu
cd "$(dirname "$0")/.."
compile="uv pip compile -q --upgrade --universal --python-version 3.11 --generate-hashes --no-header --no-annotate"
backend=$(sed -n 's/^requires = \["\(.*\)"\]$/\1/p' pyproject.toml)
$compile pyproject.toml -o requirements/run.txt
$compile pyproject.toml --group dev -c requirements/run.txt -o requirements/dev.txt
printf '%s\neditables\n' "$backend" | $compile - -o requirements/build.txt
printf 'pip\n' | $compile - -o requirements/pip.txt
printf "tf\n" | $compile - -o requirements/framework.txt
# Only the wheel of pip is ever used, and it comes first.
