#!/bin/sh
# Footfall's commands as the service of systemd runs: with its settings, in its folder, as its user. Goes to /usr/local/bin/footfall: docs/deploy.md.
set -eu
settings=${FOOTFALL_ENV:-/etc/footfall/env}
program=${FOOTFALL_PROGRAM:-/opt/footfall}
if [ ! -r "$settings" ]; then
  echo "footfall: $settings cannot be read. Run it as root: the file holds secrets." >&2
  exit 1
fi
export DataDir="${DataDir:-/var/lib/footfall}" PORT=5280
# As systemd reads it: a name and a value, which may stand in quotes; nothing of it is run.
while IFS= read -r line || [ -n "$line" ]; do
  case $line in
    [A-Za-z_]*=*) ;;
    *) continue ;;
  esac
  name=${line%%=*} value=${line#*=}
  case $value in
    \"*\") value=${value#\"} value=${value%\"} ;;
    \'*\') value=${value#\'} value=${value%\'} ;;
  esac
  export "$name=$value"
done < "$settings"
export HOME="$DataDir"
cd "$DataDir"
if [ "$(id -u)" = 0 ]; then exec runuser -u footfall -- dotnet "$program/footfall.dll" "$@"; fi
exec dotnet "$program/footfall.dll" "$@"
