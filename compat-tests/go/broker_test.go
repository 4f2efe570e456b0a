// The broker under test: one process for all tests, on a free port with a temporary directory.
// Relies on the environment variable MILENA_BIN, which `run` sets. Ends only the process that it started.

package clients

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
	"time"
)

const (
	ready    = "Transitioning from RECOVERY to RUNNING"
	startMax = 60 * time.Second
	stopMax  = 60 * time.Second
)

// broker is set once, by TestMain, before any test runs.
var broker *Broker

// Broker is a running broker process.
type Broker struct {
	Address string
	home    string
	log     string
	process *exec.Cmd
	ended   chan error
}

// freePort is below the ephemeral range, where no outgoing connection can take it before the broker does.
func freePort() int {
	for {
		port := 10_000 + rand.IntN(22_000)
		probe, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err == nil {
			probe.Close()
			return port
		}
	}
}

func startBroker() (*Broker, error) {
	home, err := os.MkdirTemp("", "milena-go-")
	if err != nil {
		return nil, err
	}
	started := &Broker{
		Address: fmt.Sprintf("127.0.0.1:%d", freePort()),
		home:    home,
		log:     filepath.Join(home, "broker.log"),
		ended:   make(chan error, 1),
	}
	log, err := os.Create(started.log)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	started.process = exec.Command(os.Getenv("MILENA_BIN"),
		"--override", "listeners=PLAINTEXT://"+started.Address,
		"--override", "log.dirs="+filepath.Join(home, "data"))
	started.process.Stdout, started.process.Stderr = log, log
	// The broker must not outlive a test run that was killed.
	started.process.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := started.process.Start(); err != nil {
		return nil, err
	}
	go func() { started.ended <- started.process.Wait() }()
	return started, started.awaitReady()
}

func (b *Broker) awaitReady() error {
	for end := time.Now().Add(startMax); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		select {
		case err := <-b.ended:
			return fmt.Errorf("the broker ended before it was ready: %v\n%s", err, b.tail())
		default:
		}
		if log, err := os.ReadFile(b.log); err == nil && bytes.Contains(log, []byte(ready)) {
			return nil
		}
	}
	b.process.Process.Kill()
	return fmt.Errorf("waited %v in vain for the broker's readiness line\n%s", startMax, b.tail())
}

// stop sends SIGTERM; the exit code has to be 0.
func (b *Broker) stop() error {
	b.process.Process.Signal(syscall.SIGTERM)
	select {
	case err := <-b.ended:
		if err != nil {
			return fmt.Errorf("the broker ended with %v after SIGTERM\n%s", err, b.tail())
		}
	case <-time.After(stopMax):
		b.process.Process.Kill()
		return fmt.Errorf("the broker did not stop on SIGTERM\n%s", b.tail())
	}
	return os.RemoveAll(b.home)
}

func (b *Broker) tail() []byte {
	log, _ := os.ReadFile(b.log)
	return log[max(0, len(log)-4000):]
}

// segment is the first segment file of a partition.
func (b *Broker) segment(topic string, partition int32) ([]byte, error) {
	return os.ReadFile(filepath.Join(b.home, "data", fmt.Sprintf("%s-%d", topic, partition), "00000000000000000000.log"))
}

func TestMain(m *testing.M) {
	// The death signal of the broker follows the thread that started it.
	runtime.LockOSThread()
	started, err := startBroker()
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	broker = started
	code := m.Run()
	if err := broker.stop(); err != nil {
		fmt.Println(err)
		code = 1
	}
	os.Exit(code)
}
