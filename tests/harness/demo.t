#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
# TAP: `make demo` on a kernel that can be traced prints the tool's report alone, also through sudo.
set -u
root=$(realpath "$(dirname "$0")/../..")
# shellcheck source=../tap.sh
. "$root/tests/tap.sh"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/tools" "$work/bin"
cp "$root/tools/demo" "$work/tools"
# This kernel may refuse tracing: the tool's part is played.
cat >"$work/uffdretry" <<'E'
#!/bin/sh
[ "$1" != --probe ] || exit 0
[ "$1" = -o ] && echo 'of the load' && echo "the report of $(basename "$4")" >"$2"
E
# As sudo does.
cat >"$work/bin/sudo" <<'E'
#!/bin/bash
for fd in 3 4 5 6 7 8 9; do
	eval "exec $fd>&-"
done
exec "$@"
E
cat >"$work/bin/id" <<'E'
#!/bin/sh
echo "$USER_ID"
E
chmod +x "$work/uffdretry" "$work/bin/sudo" "$work/bin/id"

# says UID: the demo's output, as that user.
says() {
	[ "$(PATH=$work/bin:$PATH USER_ID=$1 "$work/tools/demo" | cat)" = 'the report of uffdload' ]
}

check 'as root' says 0
check '... as a user who may use sudo' says 1000
done_testing
