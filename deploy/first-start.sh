#!/bin/sh
# Makes what must not be the same anywhere: passwords, the broker's certificate, and the folders of the
# state. Nothing that is there is overwritten, so it may be run again.
#
#   ./first-start.sh HOST...        HOST is what gateways dial: a name or address of the broker
#   ./first-start.sh gateway ID     a password for one more gateway, at the broker
set -eu
umask 077
cd "$(dirname "$0")"
secrets=secrets
authority_days=3650
certificate_days=1826

random() { openssl rand -hex 32; }

password() { # FILE
  [ -e "$secrets/$1" ] || random > "$secrets/$1"
}

# Mosquitto's salted SHA-512. The password has 256 random bits, so one round hides it; it never stands in
# the arguments of a program.
admit() { # USER FILE-WITH-PASSWORD
  if grep -qs "^$1:" "$secrets/broker.users"; then return; fi
  salt="$secrets/.salt"
  openssl rand 12 > "$salt"
  hash=$({ tr -d '\n' < "$2"; cat "$salt"; } | openssl dgst -sha512 -binary | openssl base64 -A)
  # appended: the broker has this very file mounted
  printf '%s:$6$%s$%s\n' "$1" "$(openssl base64 -A -in "$salt")" "$hash" >> "$secrets/broker.users"
  rm -f "$salt"
}

names() { # HOST...
  printf 'DNS:broker,DNS:localhost,IP:127.0.0.1'
  for host in "$@"; do
    case "$host" in
      *[!0-9.]*) case "$host" in *:*) printf ',IP:%s' "$host" ;; *) printf ',DNS:%s' "$host" ;; esac ;;
      *) printf ',IP:%s' "$host" ;;
    esac
  done
}

certificates() { # HOST...
  if [ ! -e "$secrets/ca.pem" ]; then
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days "$authority_days" \
      -subj "/CN=Gridpact broker's authority" -addext keyUsage=critical,keyCertSign,cRLSign \
      -keyout "$secrets/ca.key" -out "$secrets/ca.pem" 2> /dev/null
  fi
  if [ ! -e "$secrets/broker.pem" ]; then
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=broker" \
      -keyout "$secrets/broker.key" -out "$secrets/.broker.csr" 2> /dev/null
    printf 'basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=serverAuth\nsubjectAltName=%s\nauthorityKeyIdentifier=keyid\nsubjectKeyIdentifier=hash\n' \
      "$(names "$@")" > "$secrets/.broker.ext"
    openssl x509 -req -in "$secrets/.broker.csr" -CA "$secrets/ca.pem" -CAkey "$secrets/ca.key" \
      -CAcreateserial -days "$certificate_days" -extfile "$secrets/.broker.ext" \
      -out "$secrets/broker.pem" 2> /dev/null
    rm -f "$secrets/.broker.csr" "$secrets/.broker.ext" "$secrets/ca.srl"
  fi
}

gateway() { # ID
  case "$1" in
    '' | *[!A-Za-z0-9_.-]* | operator)
      echo "first-start: $1 is no gateway's id; give letters, digits and _ . - only" >&2
      exit 1 ;;
  esac
  mkdir -p "$secrets/gateways"
  password "gateways/$1.password"
  admit "$1" "$secrets/gateways/$1.password"
  own
  echo "the password of $1 is in $PWD/$secrets/gateways/$1.password; give it to the gateway with $PWD/$secrets/ca.pem"
  echo "then let the broker read it: docker compose kill --signal HUP broker"
}

# Nothing runs as root: as whoever calls this, or as 10001 where that is root.
own() {
  if [ "$(id -u)" != 0 ]; then return; fi
  chown -R 10001:10001 "$secrets" state
  # They hold no secret, and root's umask may have kept them from everybody.
  chmod -R a+rX grafana mosquitto postgres prometheus service.toml
}

environment() {
  if [ -e .env ]; then return; fi
  if [ "$(id -u)" = 0 ]; then uid=10001; gid=10001; else uid=$(id -u); gid=$(id -g); fi
  printf 'GRIDPACT_UID=%s\nGRIDPACT_GID=%s\n' "$uid" "$gid" > .env
}

mkdir -p "$secrets"
for each in service broker database grafana prometheus backup; do mkdir -p "state/$each"; done
if [ "${1:-}" = gateway ]; then gateway "${2:-}"; exit; fi
if [ $# = 0 ]; then
  echo "first-start: name the host that gateways dial, such as broker.example.org" >&2
  exit 1
fi
for each in database grafana-database grafana-admin operator; do password "$each.password"; done
[ -e "$secrets/prometheus.token" ] || : > "$secrets/prometheus.token"
admit operator "$secrets/operator.password"
certificates "$@"
environment
own
echo "passwords, keys and certificates are in $PWD/$secrets; keep a copy where nobody else reads it"
echo "then: docker compose up --detach --build"
