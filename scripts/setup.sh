#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Makes this checkout ready: Debian packages, npm packages (Node 26 among them), wolfSSL's source, the page.
# Safe to run again; when nothing is missing it takes a moment and says nothing.
set -eu
cd "$(dirname "$0")/.."

PACKAGES="tor qemu-system-misc gcc-xtensa-lx106 binutils-xtensa-lx106 picolibc-xtensa-lx106-elf gcc-riscv64-unknown-elf binutils-riscv64-unknown-elf clang libclang-rt-dev gcc libc6-dev make iproute2 dpkg-dev python3 ca-certificates openssl curl git chromium libnss3-tools"

missing=""
for package in $PACKAGES; do
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q '^install ok installed' || missing="$missing $package"
done

if [ -n "$missing" ]; then
  if [ "$(id -u)" = 0 ]; then as_root=""; elif sudo -n true 2>/dev/null; then as_root="sudo -n"; else as_root="no"; fi
  if [ "$as_root" = no ]; then
    echo "Shallot needs some Debian packages. Type this line, then start again:" >&2
    echo "  sudo apt-get install --no-install-recommends$missing" >&2
    exit 1
  fi
  echo "setup: installing$missing" >&2
  $as_root apt-get update -qq >/dev/null
  $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
  # Debian starts a tor of its own on installation; Shallot runs its own and does not need that one.
fi

install_packages() {
  npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >&2
  # npm 9, which Debian 12 has, installs the package for this machine and loses the link to its program.
  if ! node_modules/.bin/node --version >/dev/null 2>&1; then
    for node in node_modules/node-*/bin/node; do
      if "$node" --version >/dev/null 2>&1; then ln -sf "../${node#node_modules/}" node_modules/.bin/node; fi
    done
  fi
}

install_all() {
  ran_on=$(node --version)
  install_packages
  ours=$(node_modules/.bin/node --version 2>/dev/null || echo none)
  # npm leaves out optional packages that are not for the Node it runs on: a second time, on the one that will run them.
  if [ "$ours" != none ] && [ "$ran_on" != "$ours" ]; then
    mkdir -p .build/node
    cp -L node_modules/.bin/node .build/node/node
    NODE_NO_WARNINGS=1 PATH="$PWD/.build/node:$PATH" install_packages
    rm -r .build/node
  fi
}

stamp=node_modules/.shallot-lock
wanted=$(sha256sum package-lock.json)
left_out=""
if [ ! -f "$stamp" ] || [ "$(cat "$stamp")" != "$wanted" ]; then
  echo "setup: installing npm packages, Node 26 among them" >&2
  for try in 1 2 3; do
    install_all
    if left_out=$(node_modules/.bin/node scripts/packages.ts 2>/dev/null); then
      printf '%s\n' "$wanted" >"$stamp"
      break
    fi
    [ "$try" = 3 ] || echo "setup: not all packages came; once more" >&2
  done
fi

if ! node_modules/.bin/node --version >/dev/null 2>&1; then
  echo "There is no Node 26 for this kind of machine among our packages ($(uname -sm)), or it did not come." >&2
  echo "Look whether this machine reaches npm's packages, or install Node 26 yourself so that 'node' finds it; then start again." >&2
  exit 1
fi
if [ -n "$left_out" ]; then
  echo "npm could not bring these packages: $(echo "$left_out" | tr '\n' ' ')" >&2
  echo "Look whether this machine reaches npm's packages, then start again." >&2
  exit 1
fi

node_modules/.bin/node scripts/firmware.ts fetch >&2
node_modules/.bin/node scripts/web.ts >&2
