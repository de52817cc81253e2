#!/bin/sh
# At boot: Rundeck's key and rights, the agent's server, and /srv/data as a file system of its own.
set -eu
cp /keys/id_ed25519.pub /home/rundeck/.ssh/authorized_keys
chown rundeck: /home/rundeck/.ssh/authorized_keys
chmod 600 /home/rundeck/.ssh/authorized_keys
for script in /opt/remedia/*.sh; do
  install -D -m 755 "$script" "/usr/local/lib/remedia/$(basename "$script")"
done
install -m 440 /opt/remedia/sudoers-remedia /etc/sudoers.d/remedia
server=$(tr '\0' '\n' </proc/1/environ | sed -n 's/^ZABBIX_SERVER=//p')
sed -i "s/^Server=.*/Server=${server:-zabbix-server}/; s/^ServerActive=.*/ServerActive=${server:-zabbix-server}/; s/^Hostname=.*/Hostname=$(hostname)/" \
  /etc/zabbix/zabbix_agent2.conf
if [ ! -f /srv/data.img ]; then
  truncate -s 64M /srv/data.img
  mkfs.ext4 -q /srv/data.img
fi
mkdir -p /srv/data
mountpoint -q /srv/data || mount -o loop /srv/data.img /srv/data
mkdir -p /srv/data/tmp
