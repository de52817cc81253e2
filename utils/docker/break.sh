#!/bin/sh
# Causes one situation on a host of the lab: break.sh <situation> [host]
set -eu
here=$(cd "$(dirname "$0")" && pwd)
situation=${1:-}
host=${2:-web-01}
on() { docker compose -f "$here/compose.yaml" exec -T "$host" sh -ec "$1"; }
# shellcheck disable=SC2016 # the commands expand on the host, not here
case $situation in
  disk-full) on 'i=0; while [ $i -lt 120 ]; do head -c 500000 /dev/zero >"/srv/data/tmp/old-$i.tmp" || break; touch -d "30 days ago" "/srv/data/tmp/old-$i.tmp"; i=$((i + 1)); done' ;;
  inodes-full) on 'i=0; while touch -d "30 days ago" "/srv/data/tmp/n-$i.tmp" 2>/dev/null; do i=$((i + 1)); done; echo "$i files"' ;;
  nginx-dies) on 'systemctl kill -s KILL nginx' ;;
  cpu-eaten) on 'systemd-run --unit=lab-cpu-eater stress-ng --cpu 2 --timeout 1800' ;;
  memory-leak) on 'systemd-run --unit=lab-memory-leak stress-ng --vm 1 --vm-bytes 70% --vm-keep --timeout 1800' ;;
  application-hangs) on 'systemctl kill -s STOP nginx' ;;
  host-unreachable) docker compose -f "$here/compose.yaml" pause "$host" ;;
  flapping-service) on 'systemd-run --unit=lab-flapping sh -c "i=0; while [ \$i -lt 10 ]; do systemctl stop nginx; sleep 60; systemctl start nginx; sleep 60; i=\$((i + 1)); done"' ;;
  storm) for host in web-01 app-01 db-01; do on 'systemctl kill -s KILL nginx cron' || true; done ;;
  mend)
    docker compose -f "$here/compose.yaml" unpause "$host" 2>/dev/null || true
    on 'systemctl stop lab-cpu-eater lab-memory-leak lab-flapping 2>/dev/null || true; systemctl kill -s CONT nginx; systemctl restart nginx cron; rm -f /srv/data/tmp/*.tmp'
    ;;
  *)
    echo "usage: npm run lab:break -- <situation> [host]" >&2
    echo "situations: disk-full inodes-full nginx-dies cpu-eaten memory-leak application-hangs host-unreachable flapping-service storm; mend" >&2
    exit 2
    ;;
esac
echo "$situation on $host"
