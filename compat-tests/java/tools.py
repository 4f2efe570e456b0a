"""Calls Kafka's tools by main class, most of them in one JVM (ToolServer.java)."""

import base64
import signal
import subprocess
import threading
from dataclasses import dataclass
from pathlib import Path

from broker import die_with_parent

HERE = Path(__file__).parent
SECONDS_MAX = 90
JVM = [
    "java",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-Xmx384m",
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
    "-cp",
    f"{HERE}/target/classes:{HERE}/target/libs/*",
]
PACKAGE = "org.apache.kafka.tools."
CONFIG_COMMAND = "kafka.admin.ConfigCommand"


def main_class(tool: str) -> str:
    return tool if tool.startswith("kafka.") else PACKAGE + tool


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()

    @property
    def text(self) -> str:
        return self.out + self.err


class ToolServer:
    """One JVM that runs tools one after the other."""

    def __init__(self):
        self._process = subprocess.Popen(
            [*JVM, "ToolServer"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            preexec_fn=die_with_parent,
        )

    def run(self, tool: str, *arguments, stdin: str = "") -> Done:
        fields = [stdin, main_class(tool), *map(str, arguments)]
        line = " ".join(base64.b64encode(field.encode()).decode() for field in fields)
        too_long = threading.Timer(SECONDS_MAX, self._process.kill)
        too_long.start()
        try:
            print(line, file=self._process.stdin, flush=True)
            answer = self._process.stdout.readline()
        finally:
            too_long.cancel()
        assert answer, f"no answer within {SECONDS_MAX} s from {tool} {' '.join(fields[2:])}"
        code, out, err = answer.rstrip("\n").split(" ")
        return Done(int(code), base64.b64decode(out).decode(), base64.b64decode(err).decode())

    def close(self):
        self._process.stdin.close()
        self._process.wait(10)


class Running:
    """A tool in a JVM of its own, for what has to run beside others."""

    def __init__(self, tool: str, *arguments):
        self.lines: list[str] = []
        self._process = subprocess.Popen(
            [*JVM, main_class(tool), *map(str, arguments)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            preexec_fn=die_with_parent,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self._process.stdout:
            self.lines.append(line.rstrip("\n"))

    def ended(self) -> Done:
        """Waits until it ends by itself."""
        code = self._process.wait(SECONDS_MAX)
        self._reader.join()
        return Done(code, "\n".join(self.lines), "")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        """Ends it as a user's Ctrl-C does."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join()


class Tools:
    """Kafka's tools against one broker; a method per tool, failing when the tool fails unless `check=False`."""

    def __init__(self, server: ToolServer, address: str):
        self._server = server
        self.address = address

    def run(self, tool: str, *arguments, stdin: str = "", check: bool = True) -> Done:
        done = self._server.run(tool, "--bootstrap-server", self.address, *arguments, stdin=stdin)
        if check:
            assert done.code == 0, f"{tool} {arguments} ended with {done.code}:\n{done.text[-4000:]}"
        return done

    def background(self, tool: str, *arguments) -> Running:
        return Running(tool, "--bootstrap-server", self.address, *arguments)

    def topics(self, *arguments, **options) -> Done:
        return self.run("TopicCommand", *arguments, **options)

    def create(self, topic: str, *arguments, partitions: int = 1) -> None:
        self.topics("--create", "--topic", topic, "--partitions", partitions, "--replication-factor", 1, *arguments)

    def groups(self, *arguments, **options) -> Done:
        return self.run("consumer.group.ConsumerGroupCommand", *arguments, **options)

    def configs(self, *arguments, **options) -> Done:
        return self.run(CONFIG_COMMAND, *arguments, **options)

    def cluster(self, command: str, *arguments) -> Done:
        """ClusterTool, which wants its command first."""
        done = self._server.run("ClusterTool", command, "--bootstrap-server", self.address, *arguments)
        assert done.code == 0, done.text
        return done

    def produce(self, topic: str, lines, *arguments, **options) -> Done:
        text = "".join(f"{line}\n" for line in lines)
        return self.run("ConsoleProducer", "--topic", topic, *arguments, stdin=text, **options)

    def consume(self, topic: str, count: int, *arguments) -> list[str]:
        """The next `count` messages; ends early when none comes for a while."""
        done = self.run(
            "consumer.ConsoleConsumer",
            *("--topic", topic, "--max-messages", count, "--timeout-ms", 20_000),
            *arguments,
        )
        return done.lines

    def consume_all(self, topic: str, *arguments) -> list[str]:
        """Everything from the beginning; the end is where no message comes for two seconds."""
        done = self.run(
            "consumer.ConsoleConsumer",
            *("--topic", topic, "--from-beginning", "--timeout-ms", 2_000),
            *arguments,
        )
        return done.lines

    def offsets(self, topic: str, time="latest", *arguments) -> dict[int, str]:
        """Partition → offset; a partition without an answer has the offset ''."""
        done = self.run("GetOffsetShell", "--topic", topic, "--time", time, *arguments)
        rows = (line.rsplit(":", 2) for line in done.lines if line.startswith(f"{topic}:"))
        return {int(partition): offset for _, partition, offset in rows}


def table(text: str) -> list[dict[str, str]]:
    """The rows of a table with a heading line, as ConsumerGroupCommand prints them."""
    rows, heading = [], None
    for line in text.splitlines():
        words = line.split()
        if words and words[0] in ("GROUP", "TOPIC"):
            heading = words
        elif words and heading:
            rows.append(dict(zip(heading, words)))
    return rows
