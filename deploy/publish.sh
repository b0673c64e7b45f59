#!/bin/sh
# Builds both images of VERSION and pushes them to REGISTRY (ECR's host), each with the list of what
# it is made of (SBOM) and how it was built (provenance). A tag is never written twice: what is there
# already stays, so that this can be run again.
set -eu
cd "$(dirname "$0")/.."
: "${VERSION:?say which version, as a tag}" "${REGISTRY:?say which registry}"
PLATFORM=${PLATFORM:-linux/amd64}

aws ecr get-login-password | docker login --username AWS --password-stdin "$REGISTRY"
# Images of others by digest, whatever their tags are now.
bases=$(python3 -m deploy.images contexts Dockerfile)
builder=$(python3 -m deploy.images named moby/buildkit:buildx-stable-1)
scanner=$(python3 -m deploy.images named docker/buildkit-syft-scanner:stable-1)
# Docker's own builder keeps no attestations.
docker buildx inspect eqtrade >/dev/null 2>&1 ||
    docker buildx create --name eqtrade --driver docker-container --driver-opt "image=$builder"
for target in app nginx; do
    name=eqtrade
    [ "$target" = app ] || name=eqtrade-$target
    if docker buildx imagetools inspect "$REGISTRY/$name:$VERSION" >/dev/null 2>&1; then
        echo "$name:$VERSION is there"
        continue
    fi
    # shellcheck disable=SC2086 # an option for each word
    docker buildx build --builder eqtrade --platform "$PLATFORM" --target "$target" $bases \
        --tag "$REGISTRY/$name:$VERSION" --attest "type=sbom,generator=$scanner" \
        --provenance=mode=max --push .
done
