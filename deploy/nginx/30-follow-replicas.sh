#!/bin/sh
# For an nginx that can't follow names by itself: lists the servers of each part, looks again every
# two seconds, and has nginx read the list anew when replicas came or went. Open connections stay.
set -u
[ -z "${RESOLVER:-}" ] || exit 0

# Writes the list of a part; true when it is another one than before. Without an answer the last
# list stays: while a part restarts its name may be unknown for a moment.
list() {
    getent ahostsv4 "$1" | awk -v port="$2" '{ print "server " $1 ":" port ";" }' | sort -u >"/tmp/$1.new"
    # A server that refuses: nginx starts, and answers 502 until there is one.
    [ -s "/tmp/$1.new" ] || [ -s "/tmp/$1.servers" ] || echo 'server 127.0.0.1:9;' >"/tmp/$1.new"
    [ -s "/tmp/$1.new" ] && ! cmp -s "/tmp/$1.new" "/tmp/$1.servers" && mv "/tmp/$1.new" "/tmp/$1.servers"
}

list_all() {
    changed=1
    list api 8000 && changed=0
    list ws 8000 && changed=0
    list flower 5555 && changed=0
    return $changed
}

list_all
while sleep 2; do
    if list_all; then
        kill -HUP "$(cat /tmp/nginx.pid)" && echo "replicas changed: $(cat /tmp/*.servers | tr '\n' ' ')"
    fi
done >&2 &
