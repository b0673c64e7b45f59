#!/bin/sh
# Builds both images of VERSION and pushes them to REGISTRY (ECR's host), each with the list of what
# it is made of (SBOM) and how it was built (provenance). A tag is never written twice: what is there
# already stays, so that this can be run again.
set -eu
cd "$(dirname "$0")/.."
: "${VERSION:?say which version, as a tag}" "${REGISTRY:?say which registry}"
PLATFORM=${PLATFORM:-linux/amd64}

aws ecr get-login-password | docker login --username AWS --password-stdin "$REGISTRY"
# Docker's own builder keeps no attestations.
docker buildx inspect eqtrade >/dev/null 2>&1 ||
    docker buildx create --name eqtrade --driver docker-container
for target in app nginx; do
    name=eqtrade
    [ "$target" = app ] || name=eqtrade-$target
    if docker buildx imagetools inspect "$REGISTRY/$name:$VERSION" >/dev/null 2>&1; then
        echo "$name:$VERSION is there"
        continue
    fi
    docker buildx build --builder eqtrade --platform "$PLATFORM" --target "$target" \
        --tag "$REGISTRY/$name:$VERSION" --sbom=true --provenance=mode=max --push .
done
