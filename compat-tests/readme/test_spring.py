"""The README's Spring Boot application: its dependency, its properties and its class, built and run as a user does."""

import re
import subprocess
from pathlib import Path

from broker import die_with_parent, wait_until
from examples import at, block, commands, section, shell

APP = Path(__file__).resolve().parent / "target" / "app"
BOOT = "3.5.16"
SETUP_SECONDS_MAX = 600
RUN_SECONDS_MAX = 40
STOP_SECONDS_MAX = 20
HEADING = "Try it with Spring Boot"

POM = """<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <parent>
    <groupId>org.springframework.boot</groupId>
    <artifactId>spring-boot-starter-parent</artifactId>
    <version>{boot}</version>
  </parent>
  <groupId>com.example</groupId>
  <artifactId>orders</artifactId>
  <version>1.0.0</version>
  <dependencies>
    <dependency>
      <groupId>org.springframework.boot</groupId>
      <artifactId>spring-boot-starter</artifactId>
    </dependency>
    <dependency>
      <groupId>org.springframework.kafka</groupId>
      <artifactId>{dependency}</artifactId>
    </dependency>
  </dependencies>
</project>
"""

# What an editor adds to the README's class.
HEAD = """package com.example;

import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.springframework.boot.ApplicationRunner;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.context.annotation.Bean;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.kafka.config.TopicBuilder;
import org.springframework.kafka.core.KafkaTemplate;

"""


def write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def maven(*arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        ["mvn", "--batch-mode", "--quiet", "--file", str(APP / "pom.xml"), *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=SETUP_SECONDS_MAX,
        preexec_fn=die_with_parent,
    )


def build(address: str) -> str:
    """Writes the project, compiles it and returns its class path."""
    text = section(HEADING)
    dependency = re.search(r"\(`([a-z-]+)`; from Boot 4", text).group(1)
    write(APP / "pom.xml", POM.format(boot=BOOT, dependency=dependency))
    write(APP / "src/main/java/com/example/Orders.java", HEAD + block(text, "java"))
    write(APP / "src/main/resources/application.properties", at(address, block(text, "properties")))
    libraries = APP / "target" / "classpath"
    goals = ["compile", "dependency:build-classpath", f"-Dmdep.outputFile={libraries}"]
    # Fetches only while something is missing.
    done = maven("--offline", *goals)
    if done.returncode != 0:
        done = maven(*goals)
    assert done.returncode == 0, done.stdout[-4000:]
    return f"{APP / 'target' / 'classes'}:{libraries.read_text().strip()}"


def test_after_the_kcat_lines_the_application_prints_their_record_and_its_own(broker, tmp_path):
    shell(at(broker.address, commands(section("Try it with kcat"))[0]))
    libraries = build(broker.address)
    log = tmp_path / "application.log"
    with open(log, "wb") as out:
        application = subprocess.Popen(
            ["java", "-XX:TieredStopAtLevel=1", "-cp", libraries, "com.example.Orders"],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            preexec_fn=die_with_parent,
        )

        def printed():
            assert application.poll() is None, f"the application ended:\n{log.read_text()[-4000:]}"
            return log.read_text().splitlines().count('order-1 {"n":1}') == 2

        try:
            wait_until(printed, RUN_SECONDS_MAX, f"the listener's two lines, see {log}")
        finally:
            application.terminate()
            try:
                application.wait(STOP_SECONDS_MAX)
            finally:
                application.kill()
                application.wait()
