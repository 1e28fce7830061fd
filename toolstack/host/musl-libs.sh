#!/bin/bash
# Builds libxml2 and yajl for musl from Debian's source packages into build/musl-libs: the control
# domain links them. Nothing on the machine changes; the package lists are private to build/.
set -eu
. "$(dirname -- "$0")/common.sh"

work=$BUILD/musl-src
dest=$BUILD/musl-libs
flags='-O2 -ffunction-sections -fdata-sections -mno-red-zone -fno-pie'

# No file, network, thread or compression support: a domain reads XML from memory and validates it.
libxml2_options=(
    --build=x86_64-linux-gnu --host=x86_64-linux-musl --disable-shared --enable-static
    --without-python --without-ftp --without-http --without-lzma --without-zlib --without-iconv
    --without-icu --without-threads --without-catalog --without-debug --without-docbook
    --without-html --without-c14n --without-legacy --without-modules --without-xinclude
    --without-schematron --without-reader --without-writer --without-readline --without-history
    --without-iso8859x
)

fetch()
{
    local -a options=(
        -o "Dir::Etc::SourceList=/dev/null" -o "Dir::Etc::SourceParts=$BUILD/apt/parts"
        -o "Dir::State::Lists=$BUILD/apt/source-lists" -o APT::Sandbox::User=root
        # Without these two only the small Sources files are fetched.
        -o "APT::Architectures=" -o "Acquire::Languages=none"
    )

    bash "$HOST_DIR/sources.sh"
    mkdir -p "$BUILD/apt/parts" "$BUILD/apt/source-lists/partial" "$work"
    sed 's/^Types:.*/Types: deb-src/' "$BUILD/apt/debian.sources" >"$BUILD/apt/parts/debian.sources"
    quietly musl-lists apt-get "${options[@]}" update
    cd "$work"
    quietly musl-fetch apt-get "${options[@]}" source --download-only libxml2 yajl
    dpkg-source --no-check -x libxml2_*.dsc libxml2 >/dev/null
    dpkg-source --no-check -x yajl_*.dsc yajl >/dev/null
}

build_libxml2()
{
    mkdir -p "$work/build-libxml2"
    cd "$work/build-libxml2"
    ../libxml2/configure -q CC=musl-gcc CFLAGS="$flags" "${libxml2_options[@]}"
    # Debian's patches are newer than the shipped generated files: keep make from calling automake.
    make -j2 AUTOMAKE=: ACLOCAL=: AUTOCONF=: AUTOHEADER=: SUBDIRS='include .' libxml2.la
    mkdir -p "$dest/include/libxml2/libxml" "$dest/lib"
    cp ../libxml2/include/libxml/*.h "$dest/include/libxml2/libxml/"
    # The generated one says what is left out; the shipped one of that name does not.
    cp include/libxml/*.h "$dest/include/libxml2/libxml/"
    cp .libs/libxml2.a "$dest/lib/"
}

build_yajl()
{
    local made=$work/build-yajl/yajl-2.1.0

    cmake -S "$work/yajl" -B "$work/build-yajl" -DCMAKE_C_COMPILER=musl-gcc \
        -DCMAKE_C_FLAGS="$flags" -DCMAKE_BUILD_TYPE=Release
    make -C "$work/build-yajl" yajl_s
    mkdir -p "$dest/include/yajl" "$dest/lib"
    cp "$made"/include/yajl/*.h "$dest/include/yajl/"
    cp "$made/lib/libyajl_s.a" "$dest/lib/"
}

main()
{
    local key

    key=$(hash_of "$0")
    stamp_fresh musl-libs "$key" && [ -e "$dest/lib/libyajl_s.a" ] && return
    say 'building libxml2 and yajl for musl (half a minute, once)'
    rm -rf "$work" "$dest"
    mkdir -p "$BUILD"
    fetch
    quietly musl-libxml2 build_libxml2
    quietly musl-yajl build_yajl
    rm -rf "$work"
    stamp_write musl-libs "$key"
}

main
