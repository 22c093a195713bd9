#!/bin/sh
# Starts what it is given. As root it first gives the data folder to the user of the image and becomes that user, for good.
set -eu
if [ "$(id -u)" = 0 ]; then
  chown 1654:1654 "${DataDir:-/data}"
  exec setpriv --reuid=1654 --regid=1654 --init-groups --inh-caps=-all --no-new-privs -- "$@"
fi
exec "$@"
