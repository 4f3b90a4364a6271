#!/usr/bin/env bash
# Exactness on other machines: builds for other processors, run under an emulator, must give the signature in
# tests/data/signature.txt and decode the golden streams.
#
#   tests/exact.sh --quick   an x86-64 of 2008 (SSE2 kernel only) and an aarch64
#   tests/exact.sh           the same with every kernel, and builds with other profiles and for this very processor
#
# Run by root on Debian it installs what it needs: qemu-user-static, and for aarch64 Debian's Rust with a cross linker (the
# foreign architecture arm64 is added to dpkg). What cannot be had is printed as skipped. Exit 1 if anything differs.
set -uo pipefail
cd "$(dirname "$0")/.."

quick=no
[ "${1:-}" = --quick ] && quick=yes
passed=0 failed=0 skipped=0
target=${CARGO_TARGET_DIR:-target}
expected=tests/data/signature.txt
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

skip() { echo "skipped: $*"; skipped=$((skipped + 1)); }
pass() { echo "ok: $*"; passed=$((passed + 1)); }
fail() { echo "FAILED: $*"; failed=$((failed + 1)); }

# install PACKAGE...: whether they are there, or could be installed.
install() {
    local package missing=()
    for package in "$@"; do
        dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
    done
    [ ${#missing[@]} = 0 ] && return 0
    if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
        echo "not installed: ${missing[*]} (apt-get install them, or run this as root on Debian)"
        return 1
    fi
    if [ ! -e "$work/updated" ]; then
        [[ "${missing[*]}" = *:arm64* ]] && dpkg --add-architecture arm64
        timeout 120 apt-get update -qq >"$work/apt" 2>&1 || { tail -3 "$work/apt"; return 1; }
        [[ "${missing[*]}" = *:arm64* ]] && touch "$work/updated"
    fi
    DEBIAN_FRONTEND=noninteractive timeout 300 apt-get install -y -qq --no-install-recommends "${missing[@]}" \
        >"$work/apt" 2>&1 || { tail -3 "$work/apt"; return 1; }
}

# signature NAME KERNEL THREADS COMMAND...: the program's signature is the expected one.
signature() {
    local name="$1, kernel $2, $3 threads" kernel=$2 threads=$3
    shift 3
    if "$@" signature --kernel "$kernel" -T "$threads" >"$work/signature" 2>"$work/error" &&
        cmp -s "$work/signature" "$expected"; then
        pass "signature, $name"
    else
        fail "signature, $name"
        diff "$expected" "$work/signature"
        cat "$work/error"
    fi
}

# golden NAME COMMAND...: the program decodes the golden streams (their checksums are inside).
golden() {
    local name=$1 streams=(tests/data/golden/release-1.0/*.srp)
    shift
    [ -e "${streams[0]}" ] || { skip "golden streams, $name: there are none"; return; }
    if "$@" test -q "${streams[@]}" >"$work/output" 2>&1; then
        pass "${#streams[@]} golden streams, $name"
    else
        fail "golden streams, $name"
        cat "$work/output"
    fi
}

# build NAME ARGUMENT...: builds the program.
build() {
    local name=$1
    shift
    cargo build --locked -q --bin surprisal "$@" || { fail "build, $name"; return 1; }
}

old_x86() {
    local binary=$1 name="x86-64 under qemu -cpu Nehalem"
    install qemu-user-static || { skip "$name: no qemu"; return; }
    local emulator=(timeout 600 qemu-x86_64-static -cpu Nehalem)
    if "${emulator[@]}" "$binary" signature --kernel avx2 >/dev/null 2>&1; then
        fail "$name: the emulated processor has AVX2, so nothing is shown"
    fi
    signature "$name" sse2 2 "${emulator[@]}" "$binary"
    golden "$name" "${emulator[@]}" "$binary"
    [ $quick = yes ] || signature "$name" scalar 7 "${emulator[@]}" "$binary"
}

aarch64() {
    local name="aarch64 under qemu" triple=aarch64-unknown-linux-gnu rust=rustc
    apt-cache show rustc-web >/dev/null 2>&1 && rust=rustc-web # Debian 12: its 'rustc' is too old
    if ! install qemu-user-static gcc-aarch64-linux-gnu libc6-dev-arm64-cross $rust "libstd-${rust/rustc/rust}-dev:arm64"; then
        skip "$name: no cross compiler"
        return
    fi
    # Linked statically: dynamically linked threads never start under qemu 7.2's user emulation.
    RUSTC=/usr/bin/rustc CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUSTFLAGS="-C target-feature=+crt-static" \
        CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc \
        CC_aarch64_unknown_linux_gnu=aarch64-linux-gnu-gcc \
        build "$name ($(/usr/bin/rustc --version))" --profile exact --target $triple --target-dir "$target/exact" || return
    local binary=$target/exact/$triple/exact/surprisal
    local emulator=(timeout 600 qemu-aarch64-static)
    signature "$name" neon 2 "${emulator[@]}" "$binary"
    golden "$name" "${emulator[@]}" "$binary"
    [ $quick = yes ] || signature "$name" scalar 7 "${emulator[@]}" "$binary"
}

# every_kernel NAME BINARY: with each kernel that this machine has.
every_kernel() {
    local kernel
    for kernel in scalar sse2 avx2 avx512 neon; do
        if "$2" models --kernel $kernel >/dev/null 2>&1; then
            signature "$1" $kernel 2 "$2"
        else
            skip "$1, kernel $kernel: this machine lacks it"
        fi
    done
    for threads in 1 7; do signature "$1" scalar $threads "$2"; done
    golden "$1" "$2"
}

if build "debug"; then
    if [ "$(uname -m)" = x86_64 ]; then
        old_x86 "$target/debug/surprisal"
    else
        skip "x86-64 under qemu -cpu Nehalem: this is no x86-64"
    fi
    [ $quick = yes ] || every_kernel "debug build" "$target/debug/surprisal"
fi
aarch64
if [ $quick = no ]; then
    build "release" --release && every_kernel "release build" "$target/release/surprisal"
    RUSTFLAGS="-C target-cpu=native" build "for this processor" --profile exact --target-dir "$target/native" &&
        every_kernel "build with target-cpu=native" "$target/native/exact/surprisal"
fi
echo "exactness: $passed passed, $failed failed, $skipped skipped"
[ $failed = 0 ]
