# Sourced by the `run` scripts. Sets COMPAT (the folder compat-tests) and offers the set-up that they share.
# Everything here may be called any number of times.
COMPAT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# The broker under test has to be there before a client starts.
need_broker() {
    local bin=${MILENA_BIN:-${CARGO_TARGET_DIR:-$COMPAT/../target}/release/milena}
    [ -x "$bin" ] && return
    if [ -n "${MILENA_BIN:-}" ]; then
        echo "MILENA_BIN=$MILENA_BIN is not an executable file" >&2
        return 1
    fi
    (cd "$COMPAT/.." && cargo build --release)
}

# A virtual environment with pytest, made once; PYTEST becomes the command. A folder that is given has
# requirements (pytest among them) and an environment of its own.
need_pytest() {
    local venv=${1:-$COMPAT}/.venv wanted=${1:-$COMPAT/lib}/requirements.txt
    if ! cmp -s "$wanted" "$venv/installed"; then
        python3 -m venv "$venv" &&
            "$venv/bin/pip" install --quiet --requirement "$wanted" &&
            cp "$wanted" "$venv/installed" || return 1
    fi
    PYTEST=("$venv/bin/python" -m pytest)
}

# Runs pytest in the given folder; the last line is `N passed, N failed`.
run_pytest() {
    local folder=$1 report code=0
    shift
    report=$(mktemp)
    rm "$report"
    PYTHONPATH=$COMPAT/lib${PYTHONPATH:+:$PYTHONPATH} PYTHONDONTWRITEBYTECODE=1 \
        "${PYTEST[@]}" -p no:cacheprovider --rootdir "$folder" --tb=short -q --durations=5 \
        --junitxml="$report" "$folder" "$@" || code=1
    python3 "$COMPAT/lib/totals.py" "$report" || code=1
    rm -f "$report"
    return $code
}
