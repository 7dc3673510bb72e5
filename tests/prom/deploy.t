#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
#
# TAP: what contrib/systemd and contrib/kubernetes ask for is well formed, hardened, and alike.
set -uo pipefail
root=$(realpath "$(dirname "$0")/../..")
unit=$root/contrib/systemd/uffdretry.service
pod=$root/contrib/kubernetes/uffdretry.yaml
tmp=$(realpath "$(mktemp -d)")
trap 'rm -rf "$tmp"' EXIT
# shellcheck source=../tap.sh
. "$root/tests/tap.sh"

# settings NAME: the values of this setting in the unit.
settings() {
	sed -n "s/^$1=//p" "$unit"
}

# The tool need not be installed where this runs.
sed 's|^ExecStart=/usr/sbin/uffdretry|ExecStart=/bin/true|' "$unit" >"$tmp/uffdretry.service"
verify() {
	local said
	said=$(systemd-analyze verify --man=no "$tmp/uffdretry.service" 2>&1) || { echo "$said"; return 1; }
	[ -z "$said" ] || { echo "$said"; return 1; }
}
# systemd's measure, from 0 to 10: it calls less than 2 OK. The threshold is in tenths.
exposed_little() {
	systemd-analyze security --no-pager --offline=true --threshold=19 "$tmp/uffdretry.service"
}
if command -v systemd-analyze >/dev/null; then
	check 'systemd finds nothing to say about the unit' verify
	check 'systemd calls its exposure OK' exposed_little
else
	for what in 'systemd finds nothing to say about the unit' 'systemd calls its exposure OK'; do
		tests=$((tests + 1))
		echo "ok $tests - $what # SKIP no systemd-analyze: install systemd"
	done
fi

cat >"$tmp/pod.py" <<'END'
import sys, yaml
(path,) = sys.argv[1:]
(one,) = yaml.safe_load_all(open(path, encoding="utf-8"))
assert (one["apiVersion"], one["kind"]) == ("apps/v1", "DaemonSet")
template = one["spec"]["template"]
assert one["spec"]["selector"]["matchLabels"].items() <= template["metadata"]["labels"].items()
pod = template["spec"]
(container,) = pod["containers"]
security = container["securityContext"]
assert pod["hostPID"] is True and security["readOnlyRootFilesystem"] is True
assert security["privileged"] is False and security["allowPrivilegeEscalation"] is False
assert security["capabilities"]["drop"] == ["ALL"]
mounts = {m["name"]: m.get("readOnly", False) for m in container["volumeMounts"]}
assert mounts == {"btf": True, "textfile": False}, mounts
assert mounts.keys() == {v["name"] for v in pod["volumes"]}
print(*container["command"][1:])
print(*("CAP_" + name for name in security["capabilities"]["add"]))
print(container["resources"]["limits"]["memory"].removesuffix("i"))
END

pod_is_well_formed() {
	/usr/bin/python3 "$tmp/pod.py" "$pod" >"$tmp/pod"
}
check 'the DaemonSet is well formed, and its parts fit together' pod_is_well_formed

# Capabilities, options and memory.
both_ask_for_the_same() {
	[ "$(settings CapabilityBoundingSet)" = "$(settings AmbientCapabilities)" ] || return
	diff <(settings ExecStart | sed 's|^[^ ]* ||; s|[^ ]*/uffdretry.prom|FILE|; s| [$].*||'
		settings CapabilityBoundingSet
		settings MemoryMax) <(sed 's|[^ ]*/uffdretry.prom|FILE|' "$tmp/pod")
}
check 'unit and DaemonSet ask for the same options, capabilities and memory' both_ask_for_the_same

# As systemd reads it, each line is NAME=VALUE or a comment; every name is one of the unit's.
environment_is_used() {
	local name n=0
	while read -r name; do
		grep -q "[$]{\?[$]\?$name\b" "$unit" || { echo "the unit has no $name"; return 1; }
		n=$((n + 1))
	done < <(sed -n 's/^#\?\([A-Z_]*\)=.*/\1/p' "$root/contrib/systemd/uffdretry.default")
	[ $n = 2 ] && sh -n "$root/contrib/systemd/uffdretry.default"
}
check 'the unit uses what the environment file sets' environment_is_used

# A cgroup of the options may appear later than any limit of starts. A try each few seconds is too many.
never_gives_up() {
	[ "$(settings StartLimitIntervalSec)" = 0 ] && [ "$(settings Restart)" = always ] && [ "$(settings RestartSec)" -ge 10 ]
}
check 'the unit tries again for ever, but not all the time' never_gives_up

# does SETTING: what the unit does then, with a live process as MAINPID.
does() {
	local script
	script=$(sed -n "/^$1=/{:more;/'\$/!{N;b more};p}" "$unit")
	script=${script#*\'} script=${script%\'}
	script=${script//$'\\\n'/} script=${script//'$$'/'$'}
	MAINPID=$$ RUNTIME_DIRECTORY=$tmp/run TEXTFILE_DIRECTORY="$tmp/text files/" timeout 10 sh -c "$script"
}

# The link is replaced, and not made in a directory of its name.
links() {
	local link="$tmp/text files/uffdretry.prom"
	mkdir -p "$tmp/run" "$tmp/text files" && : >"$tmp/run/uffdretry.prom"
	ln -s /nonexistent "$link"
	does ExecStartPost && [ "$(readlink "$link")" = "$tmp/run/uffdretry.prom" ] || return
	does ExecStopPost && [ ! -L "$link" ] || return
	mkdir "$link"
	! does ExecStartPost && [ -z "$(ls "$link")" ]
}
check 'the unit links the metrics, takes the link away, and makes none in a directory of that name' links

# The exporter's user replaces its directory by a link to one of root.
not_led_away() {
	mkdir "$tmp/root" && echo precious >"$tmp/root/uffdretry.prom"
	rm -rf "$tmp/text files" && ln -s "$tmp/root" "$tmp/text files"
	! does ExecStartPost && ! does ExecStopPost && [ "$(cat "$tmp/root/uffdretry.prom")" = precious ]
}
check 'the unit follows no link in the path of that directory' not_led_away
done_testing
