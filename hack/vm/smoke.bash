# smoke.bash: sourced by the tests of engines: one line of TAP for each command that they run.
# shellcheck shell=bash

number=0 failed=0 met=''

# begin ENGINE RUNTIME MODE GAPS: GAPS is a file of what is expected to fail, a line each:
# RUNTIME MODE(or both) CASE: reason. The case `any` stands for a cause that may be met by any.
begin() {
	engine=$1 judged=${2##*/} mode=$3 gaps=$4
	any=$(gap any)
	echo "TAP version 13"
}

# gap NAME: why NAME is expected to fail; nothing when it is not.
gap() {
	sed -n "s/^$judged \($mode\|both\) $1: //p" "$gaps"
}

# is NAME STATUS OUTPUT COMMAND...: COMMAND ends with STATUS and its output has OUTPUT in it.
is() {
	local name=$1 status=$2 wanted=$3 output got=0
	output=$("${@:4}") || got=$?
	number=$((number + 1))
	local verdict="ok $number $engine::$name" why
	why=$(gap "$name")
	if [[ $got == "$status" && $output == *"$wanted"* ]]; then
		[[ ! $why ]] || { verdict="not $verdict" failed=1 output="$gaps expects it to fail: $why"; }
	else
		verdict="not $verdict"
		why=${why:-$any} met+=${any:+x}
		if [[ $why ]]; then verdict+=" # TODO $why"; else failed=1; fi
	fi
	echo "$verdict"
	[[ $verdict == ok* ]] ||
		printf '# %s\n' "ended with $got, not $status; wanted ${wanted@Q} in:" "${output//$'\n'/$'\n# '}"
}

# end: the plan, and the verdict of all as the status.
end() {
	[[ ! $any || $met ]] || { echo "# no case met it any more: $any" && failed=1; }
	echo "1..$number"
	exit $failed
}
