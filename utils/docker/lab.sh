#!/bin/sh
# Starts, stops and shows the lab: lab.sh up|down|watch
set -eu
here=$(cd "$(dirname "$0")" && pwd)
if ! docker info >/dev/null 2>&1; then
  echo "The lab needs a running Docker engine with the compose plugin; 'docker info' did not answer." >&2
  exit 1
fi
compose() { docker compose -f "$here/compose.yaml" "$@"; }
case ${1:-} in
  up)
    compose up -d --build --wait --wait-timeout 600
    echo "Zabbix  http://127.0.0.1:8080 (Admin / zabbix)"
    echo "Rundeck http://127.0.0.1:4440 (admin / admin)"
    echo "Next: npm run zabbix:setup and npm run rundeck:setup, then npm start, as docs/lab.md says."
    ;;
  down) compose down --volumes ;;
  watch) compose logs -f --tail 20 zabbix-server rundeck ollama ;;
  *) echo "usage: lab.sh up|down|watch" >&2; exit 2 ;;
esac
