#!/bin/bash
# Makes, once, what the nodes and those who ask them need to trust each other; a second run changes nothing.
#
#   authority/   the certificate authority and its key: for making more certificates, mounted nowhere else
#   servers/     ca.crt, a certificate for each node; users, users_roles and roles.yml of the file realm;
#                operator.curl, with which a node asks itself for its health
#   clients/     ca.crt, quire.password: for jobs
#   service/     ca.crt, serve.password: for the search box and the API
#
# Nothing secret is ever printed. The user `operator` may do everything, `quire` and `serve` what roles.yml says.
set -euo pipefail
umask 077

keys=${KEYS:?the folder that holds authority, servers, clients and service}
roles=${ROLES:?roles.yml}
nodes=${NODES:?the names of the nodes, separated by blanks}
server_owner=${SERVER_OWNER:-1000:0}
client_owner=${CLIENT_OWNER:-10001:10001}
tools=${ES_HOME:-/usr/share/elasticsearch}/bin

if [ -f "$keys/servers/ready" ]; then
    echo "Certificates and passwords are there already."
    exit 0
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Letters and digits alone, so that no file format gives any of them a meaning.
password() {
    local made=""
    while [ ${#made} -lt 32 ]; do
        made+=$(head -c 64 /dev/urandom | base64 | tr -dc 'A-Za-z0-9')
    done
    printf '%s' "${made:0:32}"
}

if [ ! -f "$keys/authority/ca.key" ]; then
    "$tools/elasticsearch-certutil" ca --silent --pem --days 3650 --out "$work/ca.zip"
    unzip -q "$work/ca.zip" -d "$work"
    cp "$work/ca/ca.crt" "$work/ca/ca.key" "$keys/authority/"
fi

{
    echo "instances:"
    for node in $nodes; do
        printf '  - name: %s\n    dns: [%s, localhost]\n    ip: [127.0.0.1]\n' "$node" "$node"
    done
} >"$work/instances.yml"
"$tools/elasticsearch-certutil" cert --silent --pem --days 3650 --in "$work/instances.yml" --out "$work/nodes.zip" \
    --ca-cert "$keys/authority/ca.crt" --ca-key "$keys/authority/ca.key"
unzip -q -o "$work/nodes.zip" -d "$keys/servers"

operator=$(password)
quire=$(password)
serve=$(password)
mkdir "$work/config"
touch "$work/config/elasticsearch.yml" "$work/config/users" "$work/config/users_roles"
cp "$roles" "$work/config/roles.yml"
export ES_PATH_CONF=$work/config
"$tools/elasticsearch-users" useradd operator -p "$operator" -r superuser >/dev/null
"$tools/elasticsearch-users" useradd quire -p "$quire" -r quire_manage,quire_readers >/dev/null
"$tools/elasticsearch-users" useradd serve -p "$serve" -r quire_search,quire_readers >/dev/null
cp "$work/config/users" "$work/config/users_roles" "$work/config/roles.yml" "$keys/servers/"
printf 'user = "operator:%s"\n' "$operator" >"$keys/servers/operator.curl"
printf '%s\n' "$quire" >"$keys/clients/quire.password"
printf '%s\n' "$serve" >"$keys/service/serve.password"
for folder in servers clients service; do
    cp "$keys/authority/ca.crt" "$keys/$folder/"
done

touch "$keys/servers/ready"
chown -R "$server_owner" "$keys/servers"
chown -R "$client_owner" "$keys/clients" "$keys/service"
find "$keys/servers" "$keys/clients" "$keys/service" -type d -exec chmod 0500 {} +
find "$keys/servers" "$keys/clients" "$keys/service" -type f -exec chmod 0400 {} +
echo "Certificates and passwords are made."
