#!/bin/sh
# Removes old temporary files and rotated logs below the given folders, on one file system only.
#
#   cleanup-disk.sh --path MOUNT_POINT --cleanup-roots /a:/b [--min-size 100K] [--file-age 1d] [--mode live|simulate]
#
# Never: follows a link, crosses a mount (a bind mount neither), touches a file that is open or has a second name, or anything but files named
# like temporary files and rotated logs. Writes nothing to a disk.
set -eu
tool=cleanup_disk
# shellcheck source=rundeck/host/common.sh
. "$(dirname "$0")/common.sh"

path='' roots='' min_size=default file_age=default mode=live
while [ $# -gt 0 ]; do
  [ $# -ge 2 ] || refuse "an option without a value"
  case $1 in
    --path) path=$2 ;;
    --cleanup-roots) roots=$2 ;;
    --min-size) min_size=$2 ;;
    --file-age) file_age=$2 ;;
    --mode) mode=$2 ;;
    *) refuse "an unknown option" ;;
  esac
  shift 2
done

is_plain_path "$path" || refuse "path must be a plain absolute mount point"
case $mode in live | simulate) ;; *) refuse "mode must be live or simulate" ;; esac
least=$min_size
[ "$min_size" != default ] || min_size=100K
[ "$file_age" != default ] || file_age=1d
case $min_size in
  *K) unit=1024 ;; *M) unit=1048576 ;; *G) unit=1073741824 ;; *T) unit=1099511627776 ;;
  *[0-9]) unit=1 ;; *) refuse "min_size must look like 10M" ;;
esac
number=${min_size%[KMGT]}
is_number "$number" 0 1048576 || refuse "min_size must look like 10M"
bytes=$((number * unit))
case $file_age in
  *m) unit=1 ;; *h) unit=60 ;; *d) unit=1440 ;; *w) unit=10080 ;; *) refuse "file_age must look like 7d" ;;
esac
number=${file_age%[mhdw]}
is_number "$number" 1 36500 || refuse "file_age must look like 7d"
minutes=$((number * unit))

case $roots in
  '' | none) refuse "the policy names no cleanup_roots" ;;
  *[!A-Za-z0-9._/:-]*) refuse "cleanup_roots must be plain absolute folders" ;;
esac
for command in find stat df timeout realpath mountpoint; do
  command -v "$command" >/dev/null || { say "$command is missing"; result tool_missing 9; }
done
# Others' open files are seen by root alone.
[ "$(id -u)" = 0 ] || refuse "only root sees which files are open"
bounded 10 mountpoint -q "$path" || refuse "path is no mount point"
only_one

# Percent of the inodes in use; 0 on a file system that does not count them.
inodes_used() { bounded 10 df --output=ipcent "$path" | awk 'END { print $1 + 0 }'; }
inodes_before=$(inodes_used)
# Where inodes run out, small files are what fills it up.
if [ "$least" = default ] && [ "$inodes_before" -ge 80 ]; then
  bytes=0
  say "$path has $inodes_before% of its inodes in use: files of any size are looked at"
fi

usage() { bounded 10 df -B1 --output=used,pcent "$path" | tail -n 1; }
# shellcheck disable=SC2046 # two words
set -- $(usage)
used_before=$1 percent_before=$2
say "$path before: $percent_before used, $used_before bytes"

# Inodes of this file system that any process holds open or has mapped. On an overlay a file's device is not its
# folder's, and on btrfs /proc/PID/maps names another than stat: there a number counts on any device, which spares a file
# too many, never too few.
device=$(stat -c %d "$path")
maps_device=$(printf '%02x:%02x' $((device >> 8 & 0xfff)) $((device & 0xff | device >> 12 & 0xfff00)))
fd_device=$device
case $(stat -f -c %T "$path") in overlayfs | btrfs | UNKNOWN*) maps_device='' fd_device='' ;; esac
# What a scan of /proc found, and a last word when it did not come to its end: then nothing is certain.
scan() {
  scan_code=0
  bounded 60 find /proc "$@" 2>/dev/null || scan_code=$?
  # Anything else is a process that ended meanwhile.
  case $scan_code in 124 | 137) echo unfinished ;; esac
}
open_inodes() {
  scan -mindepth 3 -maxdepth 3 -path '/proc/[0-9]*/fd/*' -exec stat -L -c '%d %i' {} + |
    awk -v device="$fd_device" '$1 == "unfinished" { print } device == "" || $1 == device { print $2 }'
  # Through cat, which goes on where a process ended meanwhile; some awks would end there, and all after it be missed.
  scan -mindepth 2 -maxdepth 2 -path '/proc/[0-9]*/maps' -exec cat {} + |
    awk -v device="$maps_device" '$1 == "unfinished" { print } $5 > 0 && (device == "" || $4 == device) { print $5 }'
}

# The one expression for what may go; find's own -delete cannot be led away by a folder that becomes a link meanwhile.
select_files() {
  bounded 240 find . -xdev -type f -links 1 -mmin "+$minutes" ! -size "-${bytes}c" \
    \( -name '*.tmp' -o -name '*.temp' -o -name 'tmp.*' \
    -o -name '*.log.[0-9]*' -o -name '*.log-[0-9]*' -o -name '*.log.old' \
    -o -name 'syslog.[0-9]*' -o -name 'syslog-[0-9]*' -o -name 'messages.[0-9]*' -o -name 'messages-[0-9]*' \) \
    ! -name '*.db' ! -name '*.sqlite*' ! -name '*.ibd' ! -name '*.sock' ! -name '*.pid' "$@"
}

# What is mounted below a folder, relative to it. A bind mount of the same file system bears the same device, so find's
# -xdev would walk through it.
mounts_below() { awk -v below="$1/" 'index($5, below) == 1 { print substr($5, length(below) + 1) }' /proc/self/mountinfo; }

opened=$(open_inodes | sort -u)
case $opened in
  *unfinished*) say 'which files are open could not be found out in time'; result time_limit 8 ;;
esac
files=0 removed_bytes=0 spared=0 used_roots=0
clean_root() {
  # A relative find below a folder that we stand in: nobody can swap the folder under it.
  cd "$1" 2>/dev/null || { say "$1: not a folder, skipped"; return 0; }
  if [ "$(pwd -P)" != "$1" ]; then say "$1: goes through a link, skipped"; return 0; fi
  if [ "$(stat -c %m .)" != "$path" ]; then say "$1: not on $path, skipped"; return 0; fi
  folder=$1
  set --
  for mount in $(mounts_below "$folder"); do
    is_plain_path "/$mount" || { say "$folder: something with an odd name is mounted below, skipped"; return 0; }
    set -- "$@" ! -path "./$mount/*"
  done
  used_roots=$((used_roots + 1))
  found=$(select_files "$@" -printf '%i %s\n' || true)
  [ -n "$found" ] || { say "$folder: nothing old enough and big enough"; return 0; }
  held=$({ printf '%s\n' "$found" | cut -d ' ' -f 1 | sort -u; printf '%s\n' "$opened"; } | sort | uniq -d)
  for inode in $held; do
    set -- "$@" ! -inum "$inode"
    spared=$((spared + 1))
  done
  if [ "$mode" = live ]; then
    listed=$(select_files "$@" -printf '%s\n' -delete || true)
  else
    listed=$(select_files "$@" -printf '%s\n' || true)
  fi
  # shellcheck disable=SC2046 # two words
  set -- $(printf '%s\n' "$listed" | awk 'NF { n++; s += $1 } END { printf "%d %.0f\n", n, s }')
  files=$((files + $1))
  removed_bytes=$((removed_bytes + $2))
  say "$folder: $1 files, $2 bytes"
}

old_ifs=$IFS
IFS=:
# shellcheck disable=SC2086 # split at the colons, and globs are off
set -- $roots
IFS=$old_ifs
for root; do
  is_plain_path "$root" || refuse "cleanup_roots must be plain absolute folders"
  case $root in
    # Of /var/lib only what calls itself a cache or temporary: the rest belongs to databases and packages.
    /var/lib/*/cache | /var/lib/*/caches | /var/lib/*/tmp | /var/lib/*/temp) ;;
    / | /bin* | /boot* | /dev* | /etc* | /lib* | /proc* | /root* | /run* | /sbin* | /sys* | /usr* | /var/lib* | /home | /opt | /srv | /var)
      refuse "$root may never be cleaned"
      ;;
  esac
done
for root; do clean_root "$root"; done
cd /

# shellcheck disable=SC2046 # two words
set -- $(usage)
used_after=$1 percent_after=$2
inodes_after=$(inodes_used)
say "$path after: $percent_after used, $used_after bytes"
[ "$spared" -eq 0 ] || say "$spared files are open and were left"

# Space of files that are deleted and still open: only their holder can give it back.
held_bytes=0
holders=$(bounded 60 find /proc -mindepth 3 -maxdepth 3 -path '/proc/[0-9]*/fd/*' -lname '/* (deleted)' 2>/dev/null |
  while read -r link; do
    [ "$(stat -L -c %d "$link" 2>/dev/null)" = "$device" ] || continue
    pid=${link#/proc/}
    pid=${pid%%/*}
    printf '%s %s %s\n' "$(stat -L -c %s "$link" 2>/dev/null || echo 0)" "$pid" "$(tr -d '\000-\037\177' <"/proc/$pid/comm" 2>/dev/null || true)"
  done | sort -rn | head -n 5)
if [ -n "$holders" ]; then
  say 'deleted, but still open (bytes, pid, name):'
  say "$holders"
  held_bytes=$(printf '%s\n' "$holders" | awk '{ s += $1 } END { printf "%.0f\n", s }')
fi

facts="\"path\":\"$(json_text "$path")\",\"mode\":\"$mode\",\"files\":$files,\"file_bytes\":$removed_bytes,\"freed_bytes\":$((used_before - used_after)),\"used_before\":\"$percent_before\",\"used_after\":\"$percent_after\",\"inodes_before\":\"$inodes_before%\",\"inodes_after\":\"$inodes_after%\",\"left_open\":$spared,\"deleted_but_open_bytes\":$held_bytes"
[ "$used_roots" -gt 0 ] || result no_root_on_this_file_system 4 "$facts"
[ "$mode" = live ] || result would_remove 0 "$facts"
[ "$files" -gt 0 ] || result nothing_to_remove 4 "$facts"
result removed 0 "$facts"
