#!/bin/sh
# Starts, stops and shows the lab: lab.sh up|down|watch
set -eu
usage='usage: npm run lab:up | lab:down | lab:watch
Starts, removes and shows the lab of docs/lab.md; needs a Docker engine with the compose plugin.'
for word; do
  case $word in -h | --help) echo "$usage"; exit 0 ;; esac
done
misused() { printf '%s\n\n%s\n' "$1" "$usage" >&2; exit 2; }
[ $# -le 1 ] || misused "Unexpected argument '$2'."
case ${1:-} in
  up | down | watch) ;;
  '') misused 'What to do is missing: up, down or watch.' ;;
  *) misused "There is no lab:$1." ;;
esac
here=$(cd "$(dirname "$0")" && pwd)
if ! docker info >/dev/null 2>&1; then
  echo "The lab needs a running Docker engine with the compose plugin; 'docker info' did not answer." >&2
  exit 1
fi
compose() { docker compose -f "$here/compose.yaml" "$@"; }
case $1 in
  up)
    compose up -d --build --wait --wait-timeout 600
    echo "Zabbix  http://127.0.0.1:8080 (Admin / zabbix)"
    echo "Rundeck http://127.0.0.1:4440 (admin / admin)"
    echo "Next: npm run zabbix:setup and npm run rundeck:setup, then npm start, as docs/lab.md says."
    ;;
  down) compose down --volumes ;;
  watch) compose logs -f --tail 20 zabbix-server rundeck ollama ;;
esac
