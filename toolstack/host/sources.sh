#!/bin/bash
# Writes build/apt/debian.sources: the Debian archives among this machine's own apt sources, with
# source packages switched on. apt itself reads the machine's files, of either format.
set -eu
. "$(dirname -- "$0")/common.sh"

out=$BUILD/apt/debian.sources

# Lines "URI|suite|component|origin", as apt knows them.
targets()
{
    # shellcheck disable=SC2016
    apt-get "$@" indextargets --format '$(REPO_URI)|$(RELEASE)|$(COMPONENT)|$(ORIGIN)' \
        'Created-By: Packages'
}

# Third parties also use Debian's suite names, so only the signed Release file's origin counts.
debian_only()
{
    local codename

    codename=$(. /etc/os-release && printf '%s' "$VERSION_CODENAME")
    awk -F'|' -v name="$codename" \
        '$4 == "Debian" && ($2 == name || index($2, name "-") == 1 || $2 ~ /^(old)*stable/) &&
         $3 ~ /^[a-z-]+$/ && !seen[$1, $2, $3]++'
}

main()
{
    local found

    mkdir -p "$BUILD/apt/lists/partial"
    found=$(targets | debian_only)
    if [ -z "$found" ]; then
        # The machine keeps no package lists (a container, often): fetch them, for us alone.
        quietly apt-lists apt-get -o Dir::State::Lists="$BUILD/apt/lists" \
            -o APT::Sandbox::User=root update
        found=$(targets -o Dir::State::Lists="$BUILD/apt/lists" | debian_only)
    fi
    [ -n "$found" ] || die "no Debian archive among this machine's apt sources"
    printf '%s\n' "$found" | awk -F'|' '
        { printf "%sTypes: deb deb-src\nURIs: %s\nSuites: %s\nComponents: %s\n",
                 (NR > 1 ? "\n" : ""), $1, $2, $3 }' >"$out"
}

main
