#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
# TAP: the records that the unit tests print fit the JSON schema, and a record that is wrong does not.
set -u
root=$(realpath "$(dirname "$0")/../..")
# shellcheck source=../tap.sh
. "$root/tests/tap.sh"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
schema=$root/docs/reference/uffdretry.schema.json

printed() {
	RECORDS=$work/$1 "$root/build/unit/test_$1" && "$root/tests/check-json" "$work/$1" && [ "$(grep -c . "$work/$1")" -ge "$2" ]
}

# without NAME FILTER TEXT: the first summary or event of NAME, changed by jq's FILTER, does not fit, and TEXT says why.
without() {
	grep -m 1 -E '"type":"(summary|event)"' "$work/$1" | jq -c "$2" >"$work/wrong"
	! "$root/tests/check-json" "$work/wrong" >"$work/says" || return
	grep -F "$3" "$work/says" || { cat "$work/says"; return 1; }
}

# The schema as a user applies it: all types at once.
whole_schema() {
	/usr/bin/python3 -c 'import json, sys, jsonschema
v = jsonschema.Draft202012Validator(json.load(open(sys.argv[1])))
lines = [json.loads(line) for name in sys.argv[2:] for line in open(name)]
sys.exit(not all(v.is_valid(line) for line in lines) or v.is_valid({**lines[0], "type": "other"}))' "$schema" "$work/json" "$work/event"
}

# Members of the schema that json.md does not name between backquotes, also as the end of a.b. It names classes, reasons and
# other sets of words in classes.md, or by a link.
undocumented() {
	jq -r '[.. | objects | select(.type == "object" or has("unevaluatedProperties")) | .properties // {} | keys[]] | unique[]' "$schema" |
		while read -r member; do
			grep -qE "\`([a-z_]+\\.|\\.)*$member(\\.[a-z_]+)?\`|\"$member\"" "$root"/docs/reference/{json,classes}.md || echo "$member"
		done >"$work/undocumented"
	[ ! -s "$work/undocumented" ] || { cat "$work/undocumented"; return 1; }
}

check 'start, interval, summary and self_test' printed json 24
check 'event' printed event 6
check 'targets' printed targets 3
check 'stacks' printed stacks 3
check 'diff' printed diff 1
check 'the records that report reads' printed saved 50
check 'the schema as a whole knows these types and no other' whole_schema
check 'a member too much is found' without json '.more = 1' "('more' was unexpected)"
check '... also far below' without json '.checks.kernel.more = 1' "\$.checks.kernel: Additional properties are not allowed ('more'"
check '... and in an event' without event '.more = 1' "('more' was unexpected)"
check 'a member too few is found' without json 'del(.lost.events)' "\$.lost: 'events' is a required property"
check 'a string for a number is found' without json '.copy.calls = "1"' "\$.copy.calls: '1' is not of type 'integer'"
check '... and a negative one' without json '.copy.calls = -1' 'minimum'
check 'a type that the schema does not have is found' without json '.type = "other"' 'no such type: other'
check 'null where the kernel always tells is found' without json '.external = null' '$.external: None'
check 'another word is found' without event '.class = "other"' "\$.class: 'other' is not"
check 'another schema is found' without json '.schema = 2' '$.schema: 1 was expected'
check 'json.md and classes.md name each member' undocumented
done_testing
