#!/usr/bin/env bash
# SPDX-License-Identifier: BSL-1.0
# Installs what building pygc needs and the machine lacks; does nothing if all is there.
# usage: setup.sh [clang] [clang-sanitizers] [python-headers] [benchmarks] [valgrind] [libgc] [nim] [php] [java] [node]     (extras beside the base)
set -euo pipefail

fail() {
    echo "error: $*" >&2
    exit 1
}

# Compiles an #include, so that headers count wherever the compiler finds them.
has_header() {
    command -v g++ >/dev/null && echo "#include <$1>" | g++ -std=c++20 -x c++ -E - >/dev/null 2>&1
}

missing=()
need() { # PACKAGE CHECK...
    local package=$1
    shift
    "$@" >/dev/null 2>&1 || missing+=("$package")
}

need g++ command -v g++
need cmake command -v cmake
need ninja-build command -v ninja
need ccache command -v ccache
need python3 command -v python3
need pkg-config command -v pkg-config
has_catch() { has_header catch2/catch.hpp || has_header catch2/catch_all.hpp; }
need catch2 has_catch
need librange-v3-dev has_header range/v3/all.hpp
has_python_header() {
    # The same question that CMake's FindPython3 asks.
    [ -f "$(python3 -c 'import sysconfig; print(sysconfig.get_path("include"))')/Python.h" ]
}
for extra in "$@"; do
    case $extra in
    clang) need clang command -v clang++ ;;
    clang-sanitizers) # for the clang that is there
        has_sanitizers() { echo 'int main() {}' | clang++ -fsanitize=address -x c++ - -o /dev/null; }
        need "libclang-rt-$(clang++ -dumpversion | cut -d. -f1)-dev" has_sanitizers
        ;;
    python-headers) need python3-dev has_python_header ;;
    valgrind) need valgrind command -v valgrind ;;
    benchmarks)
        need libbenchmark-dev has_header benchmark/benchmark.h
        need libboost-dev has_header boost/intrusive_ptr.hpp
        ;;
    # What benchmarks/run.sh compares with; each by itself, as no one needs all.
    libgc) need libgc-dev has_header gc/gc_allocator.h ;;
    nim) need nim command -v nim ;;
    php) need php-cli command -v php ;;
    java) need default-jdk-headless command -v javac ;;
    node) need nodejs command -v node ;;
    *) fail "setup.sh: unknown extra '$extra' (see the usage)" ;;
    esac
done

if [ ${#missing[@]} -eq 0 ]; then
    echo "==> everything needed is installed"
else
    command -v apt-get >/dev/null ||
        fail "please install these (Debian's names) and run this again: ${missing[*]}"
    sudo=()
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null || fail "please run as root: apt-get install ${missing[*]}"
        sudo=(sudo)
    fi
    log=$(mktemp)
    trap 'rm -f "$log"' EXIT
    apt() {
        "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq "$@" >"$log" 2>&1 </dev/null || {
            tail -n 20 "$log" >&2
            fail "apt-get $1 failed (see above)"
        }
    }
    echo "==> reading Debian's package lists"
    apt update
    echo "==> installing ${missing[*]}"
    apt install -y --no-install-recommends "${missing[@]}"
fi

# The presets need CMake 3.25.
version=$(cmake --version | sed -n '1s/^cmake version \([0-9]*\)\.\([0-9]*\).*/\1 \2/p')
read -r major minor <<<"$version"
if [ "$major" -lt 3 ] || { [ "$major" -eq 3 ] && [ "$minor" -lt 25 ]; }; then
    fail "CMake 3.25 or newer is needed, this is ${version/ /.}"
fi
