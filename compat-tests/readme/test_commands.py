"""The README's shell lines and what it says of Milena's own command line."""

import os
import subprocess

import pytest

from broker import ROOT, Broker, binary, die_with_parent
from examples import at, commands, defaults, opening, section, shell

SECONDS_MAX = 20
# A wrapper around another broker has no such commands.
own_commands = pytest.mark.skipif("MILENA_BIN" in os.environ, reason="not Milena's command line")


def milena(*arguments: str, cwd=None, **environment: str) -> str:
    """What the binary prints when it is called as the README says."""
    done = subprocess.run(
        [str(binary()), *arguments],
        cwd=cwd,
        env={"PATH": os.environ["PATH"], **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=SECONDS_MAX,
        preexec_fn=die_with_parent,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_kcat_lines_write_a_record_read_it_and_list_its_topic(broker):
    lines = commands(section("Try it with kcat"))
    _, consumed, listed = [shell(at(broker.address, line)) for line in lines]
    assert consumed == '0 0 order-1 {"n":1}\n'
    assert '  topic "orders" with 1 partitions:' in listed.splitlines()


@own_commands
def test_the_first_lines_name_commands_that_work(broker):
    start, check = commands(opening())
    program = "cargo run --release"
    assert start == program, "the broker starts without an argument"
    # Its default address is the README's, where another broker may be.
    asked = check.removeprefix(f"{program} -- ")
    assert asked == "check"
    assert milena(asked, broker.address).startswith(f"{broker.address} serves: ")
    with pytest.raises(AssertionError, match="is not serving"):
        milena(asked, "127.0.0.1:1")
    version = (ROOT / "Cargo.toml").read_text().split('version = "')[1].split('"')[0]
    assert milena("--version") == f"milena {version}\n"


def without_sources(printed: str) -> list[str]:
    return [line for line in printed.splitlines() if not line.startswith("# source: ")]


@own_commands
def test_a_file_then_variables_then_overrides_give_the_configuration(tmp_path):
    text = section("Configuration")
    for part in ("`milena server.properties`", "`KAFKA_NUM_PARTITIONS`", "`--override key=value`", "`milena config`"):
        assert part in text
    (tmp_path / "server.properties").write_text("num.partitions=2\nlog.retention.hours=1\ndelete.topic.enable=false\n")
    printed = milena(
        "config",
        "server.properties",
        "--override",
        "num.partitions=4",
        cwd=tmp_path,
        KAFKA_NUM_PARTITIONS="3",
        KAFKA_LOG_RETENTION_HOURS="5",
    )
    for part in (
        "# source: override\nnum.partitions=4\n",
        "# source: environment\nlog.retention.hours=5\n",
        "# source: file\ndelete.topic.enable=false\n",
    ):
        assert part in printed
    (tmp_path / "printed.properties").write_text(printed)
    again = milena("config", "printed.properties", cwd=tmp_path)
    assert without_sources(again) == without_sources(printed)


@own_commands
def test_the_defaults_in_the_table_are_the_brokers():
    named = defaults(section("Configuration"))
    assert len(named) >= 5
    printed = milena("config").splitlines()
    assert [pair for pair in named.items() if "#{}={}".format(*pair) not in printed] == []


@own_commands
def test_the_help_lists_the_arguments_and_the_log_level_is_obeyed(tmp_path, monkeypatch):
    text = milena("--help")
    for part in ("[SERVER.PROPERTIES]", "--override <KEY=VALUE>", "check", "config", "MILENA_LOG"):
        assert part in text
    monkeypatch.setenv("MILENA_LOG", "milena::net=debug,info")
    with Broker(tmp_path) as running:
        milena("check", running.address)
    assert "DEBUG milena::net" in running.log.read_text()
