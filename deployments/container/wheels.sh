#!/bin/sh
# Fills wheels/ with all that the image installs: three distributions of this clone and what they need from the package
# index. The image itself is then built without network.
#
#   deployments/container/wheels.sh [PYTHON [FOLDER]]
#
# PYTHON is the version that the base image has (3.13), FOLDER where they go (wheels/ beside this file).
set -eu
here=$(cd "$(dirname "$0")" && pwd)
version=${1:-3.13}
folder=${2:-$here/wheels}
machine=$(uname -m)
set --
pip="${PYTHON:-python3} -m pip --disable-pip-version-check --quiet"

mkdir -p "$folder"
rm -f "$folder"/*.whl
# Files in a wheel have this time, so that the same source gives the same wheel.
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-1577836800}
export SOURCE_DATE_EPOCH
for name in sdk agent nodes-core; do
  set -- "$@" "$here/../../packages/waterflow-$name"
done
# pip builds in an environment that it makes for each of them; where what that needs is there already, as in the
# environments of the clone, it need not.
if ${PYTHON:-python3} -c 'import hatchling' 2>/dev/null; then
  set -- --no-build-isolation "$@"
fi
$pip wheel --no-deps --wheel-dir "$folder" "$@"
# Chosen for the image and not for the Python that runs this; the list is whole, so pip looks for nothing beside it.
$pip download --no-deps --only-binary :all: --dest "$folder" --python-version "$version" \
  --platform "manylinux_2_28_$machine" --platform "manylinux_2_17_$machine" --platform "manylinux2014_$machine" \
  --requirement "$here/requirements.txt"
