#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
#
# TAP: two real node_exporters export files that the tool's own writer made. A real Prometheus
# scrapes them and evaluates contrib/prometheus/rules.yml. All of it is on 127.0.0.1, and ends here.
set -uo pipefail
root=$(realpath "$(dirname "$0")/../..")
contrib=$root/contrib/prometheus
writer=$root/build/unit/test_openmetrics
tmp=$(mktemp -d)
daemons=()
# shellcheck source=../tap.sh
. "$root/tests/tap.sh"

# shellcheck disable=SC2317 # a trap calls it
clean_up() {
	[ ${#daemons[@]} -eq 0 ] || kill -KILL "${daemons[@]}" 2>/dev/null
	wait
	rm -rf "$tmp"
}
trap clean_up EXIT
trap 'exit 143' TERM INT HUP

# daemon NAME COMMAND...: run it in the background and keep its output. It ends with this shell.
daemon() {
	local name=$1
	shift
	setpriv --pdeathsig KILL "$@" >"$tmp/$name.log" 2>&1 &
	daemons+=($!)
}

# N free ports.
free_ports() {
	python3 -c '
import socket, sys
s = [socket.create_server(("127.0.0.1", 0)) for _ in range(int(sys.argv[1]))]
print(*(x.getsockname()[1] for x in s))' "$1"
}

# within SECONDS COMMAND...: until it succeeds.
within() {
	local end=$((SECONDS + $1))
	shift
	until "$@" >"$tmp/within" 2>&1; do
		[ $SECONDS -lt $end ] || { cat "$tmp/within"; return 1; }
		sleep 0.2
	done
}

fetch() {
	curl -sS --fail --noproxy '*' --max-time 5 "$@"
}

# Files of the two hosts: the canned counters times a factor, with their own spurious EAGAINs.
write_files() {
	"$writer" write "$1" "$2" "$tmp/a/uffdretry.prom" && "$writer" write "$3" "$4" "$tmp/b/uffdretry.prom"
}

# value EXPRESSION: the value of the only sample.
value() {
	fetch -G --data-urlencode "query=$1" "http://127.0.0.1:$prometheus/api/v1/query" |
		jq -er 'if (.data.result | length) == 1 then .data.result[0].value[1] else error("not one sample: \(.data.result)") end'
}

# is EXPRESSION NUMBER [RELATIVE_ERROR]
is() {
	local got
	got=$(value "$1") || { echo "$1: $got"; return 1; }
	awk -v got="$got" -v want="$2" -v error="${3:-1e-9}" 'BEGIN { d = got - want; d = d < 0 ? -d : d
		exit !(d <= error * (want < 0 ? -want : want)) }' || { echo "$1 is $got, not $2"; return 1; }
}

for tool in promtool prometheus prometheus-node-exporter curl jq; do
	command -v $tool >/dev/null || skip_all "no $tool: run tools/deps test"
done

# --- Without a server -----------------------------------------------------------------------------

mkdir "$tmp/a" "$tmp/b" "$tmp/data"
write_files 2 200 20 2000
check 'promtool finds nothing to say about the file' promtool check metrics <"$tmp/a/uffdretry.prom"
check 'promtool checks the rules' promtool check rules "$contrib/rules.yml"
check 'the rules do what their unit tests ask' bash -c "cd '$contrib' && promtool test rules rules_test.yml"

# The tool writes each metric that the dashboard and the rules name.
names_exist() {
	local name missing=0
	while read -r name; do
		grep -Eq "^${name}[{ ]|record: [a-z_]*:$name:" "$tmp/a/uffdretry.prom" "$contrib/rules.yml" || { echo "no $name"; missing=1; }
	done < <(grep -oh 'uffdretry_[a-z0-9_]*' "$contrib/rules.yml" <(jq -r '.. | .expr? // empty' "$contrib/dashboard.json") | sort -u)
	return $missing
}
check 'rules and dashboard name only metrics that there are' names_exist

# --- Two hosts ------------------------------------------------------------------------------------

read -r a b direct prometheus <<<"$(free_ports 4)"
for host in a b; do
	daemon "node-$host" prometheus-node-exporter --web.listen-address="127.0.0.1:${!host}" --collector.disable-defaults \
		--collector.textfile --collector.textfile.directory="$tmp/$host"
done
daemon direct python3 "$root/tests/prom/serve.py" "$direct" "$tmp/a/uffdretry.prom"
cat >"$tmp/prometheus.yml" <<-END
	global: { scrape_interval: 1s, evaluation_interval: 1s }
	rule_files: [$contrib/rules.yml]
	scrape_configs:
	  - job_name: node
	    static_configs:
	      - { targets: ["127.0.0.1:$a"], labels: { instance: a } }
	      - { targets: ["127.0.0.1:$b"], labels: { instance: b } }
	  - job_name: direct
	    static_configs: [{ targets: ["127.0.0.1:$direct"], labels: { instance: direct } }]
END
check 'promtool checks the test'\''s configuration' promtool check config "$tmp/prometheus.yml"
daemon prometheus prometheus --config.file="$tmp/prometheus.yml" --storage.tsdb.path="$tmp/data" \
	--web.listen-address="127.0.0.1:$prometheus"

scraped() {
	is 'sum(up)' 3 && is 'sum(uffdretry_windows_judged_total{job="node"})' "$1"
}
of_node='job="node"'
check 'both hosts are scraped, and the file itself as OpenMetrics' within 60 scraped $((8900 * 22))
check 'the collector had no error' is 'sum(node_textfile_scrape_error)' 0
check 'windows of the fleet' is "sum(uffdretry_windows_total{$of_node})" $((13422 * 22))
check 'windows of one class and kind of one host' \
	is 'uffdretry_windows_total{instance="b",class="quiet",kind="shmem"}' $((1001 * 20))
check 'EAGAIN of the fleet by cause' is "sum(uffdretry_copy_eagain_total{$of_node,cause=\"snapshot\"})" $((506 * 22))
check 'refused calls of one host by operation' \
	is 'uffdretry_mmap_changing_refused_calls_total{instance="b",op="remove"}' $((623 * 20))
check 'seconds lost of one host' is 'uffdretry_chain_seconds_total{instance="b"}' 0.00001108
check 'EAGAIN of another ioctl' is 'uffdretry_fill_eagain_total{instance="b",ioctl="move",cause="mmap_changing"}' $((532 * 20))
check 'writers of one host by operation' is 'uffdretry_write_sections_total{instance="b",op="munmap"}' $((228 * 20))
check 'the histogram arrives whole' is 'uffdretry_window_duration_seconds_count{instance="b",class="unrelated"}' $((1105 * 20))
check '... its buckets with their bounds' \
	is 'uffdretry_window_duration_seconds_bucket{instance="b",class="unrelated",le="1.023e-06"} or
	    uffdretry_window_duration_seconds_bucket{instance="b",class="unrelated",le="0.000001023"}' $((102 * 20))
check 'OpenMetrics: the same numbers' is 'uffdretry_windows_total{instance="direct",class="quiet",kind="anon"}' $((101 * 2))

keeps_type() {
	fetch "http://127.0.0.1:$prometheus/api/v1/metadata?metric=uffdretry_windows_total" |
		jq -e '.data.uffdretry_windows_total[0] | .type == "counter" and (.help | test("Retry windows"))'
}
check 'a counter is a counter, with its help' keeps_type

# Half as much again a step later gives rates. Shares do not depend on the times of the samples.
sleep 3
write_files 3 300 30 2500
check 'the next numbers are scraped' within 60 scraped $((8900 * 33))
ratio=instance_check:uffdretry_spurious:ratio_rate5m
check 'the rules: spurious share of host a' within 30 is "$ratio{check=\"per_mm_seq\",instance=\"a\"}" 0.01123595506 1e-6
check 'the rules: spurious share of host b' within 30 is "$ratio{check=\"per_mm_seq\",instance=\"b\"}" 0.005617977528 1e-6
check 'the rules: EAGAIN share of host a' within 30 is 'instance:uffdretry_eagain:ratio_rate5m{instance="a",job="node"}' 0.001798920648 1e-6
# 1968 windows of 12287 with a class and these; 422 calls of 5003, 531 + 532 + 533 + 534 others and
# these.
check 'the rules: windows not known' within 30 is 'instance:uffdretry_windows_lost:ratio_rate5m{instance="a",job="node"}' 0.1380568222 1e-6
check 'the rules: calls not known' within 30 is 'instance:uffdretry_calls_lost:ratio_rate5m{instance="a",job="node"}' 0.05585704831 1e-6
check 'the rules: EAGAIN share of MOVE' within 30 is \
	'instance_ioctl:uffdretry_fill_eagain:ratio_rate5m{instance="a",job="node",ioctl="move"}' 0.3333333333 1e-6
# Hosts are scraped at different times, so a rate over all is not exact: 100, 100 and 500 of 8900,
# 8900 and 89000.
check 'the rules: spurious share of the fleet' within 30 is 'check:uffdretry_spurious:ratio_rate5m{check="per_mm_seq"}' 0.006554307116 0.25
check 'the alert on anomalies fires for each host' within 30 is \
	'count(ALERTS{alertname="UffdretryAnomalies",alertstate="firing",job="node"})' 2
check 'the alert on pages filled wrongly fires for each host' within 30 is \
	'count(ALERTS{alertname="UffdretryPageMeansAnother",alertstate="firing",job="node"})' 2
rules_are_well() {
	fetch "http://127.0.0.1:$prometheus/api/v1/rules" | jq -e '[.data.groups[].rules[].health] | length == 23 and all(. == "ok")'
}
check 'every rule was evaluated without an error' rules_are_well

# Debian has no Grafana. So each query of the dashboard is asked as Grafana would ask it, for all
# hosts.
panels_have_data() {
	local panel expr
	while IFS=$'\t' read -r panel expr; do
		# shellcheck disable=SC2016 # variables of Grafana
		expr=${expr//'$instance'/.*} expr=${expr//'$__rate_interval'/1m} expr=${expr//'$__range'/5m}
		fetch -G --data-urlencode "query=$expr" "http://127.0.0.1:$prometheus/api/v1/query" |
			jq -e '.data.result | length > 0 and all(.value[1] != "NaN")' >/dev/null || { echo "$panel: no data: $expr"; return 1; }
		echo "$panel"
	done < <(jq -r '.panels[] | .title as $t | .targets[] | [$t, .expr] | @tsv' "$contrib/dashboard.json") >"$tmp/panels" || {
		cat "$tmp/panels"
		return 1
	}
	[ "$(wc -l <"$tmp/panels")" = "$(jq '.panels | length' "$contrib/dashboard.json")" ]
}
check 'every panel of the dashboard has data' within 30 panels_have_data
hosts_can_be_chosen() {
	fetch -G --data-urlencode 'match[]=uffdretry_build_info' "http://127.0.0.1:$prometheus/api/v1/label/instance/values" |
		jq -e '.data == ["a", "b", "direct"]'
	jq -e '.templating.list[1].query.query == "label_values(uffdretry_build_info, instance)"' "$contrib/dashboard.json"
}
check 'the dashboard finds the hosts' hosts_can_be_chosen
done_testing
