"""The real penstock binary with a configuration, in a folder of its own."""

import os
import re
import signal
import subprocess
import threading

from support.waiting import DEADLINE, wait_until

SANITIZER_REPORT = re.compile(r"Sanitizer|runtime error:|data race")


def binary():
    path = os.environ.get("PENSTOCK_BINARY")
    if not path:
        raise RuntimeError("PENSTOCK_BINARY does not name the penstock binary to test")
    return path


def run_command(*arguments, cwd=None, environment=None):
    """Runs a command that ends by itself."""
    done = subprocess.run([binary(), *arguments], cwd=cwd, env=environment, stdin=subprocess.DEVNULL,
                          capture_output=True, timeout=2 * DEADLINE, check=False)
    done.stdout, done.stderr = done.stdout.decode(), done.stderr.decode()
    if SANITIZER_REPORT.search(done.stderr):
        raise AssertionError(f"sanitizer report:\n{done.stderr}")
    return done


class Gateway:
    """`penstock run`, from start to a clean end."""

    def __init__(self, configuration, folder, stdout=None, environment=None):
        self.path = os.path.join(folder, "penstock.yaml")
        self.expected_statuses = (0,)
        self.write_configuration(configuration)
        self._stdout_path = os.path.join(folder, "stdout")
        self._lines = []
        with open(self._stdout_path, "wb") as own_stdout:
            self.process = subprocess.Popen([binary(), "run", "--config", self.path], cwd=folder,
                                            stdin=subprocess.DEVNULL, stdout=stdout or own_stdout,
                                            stderr=subprocess.PIPE, env=environment)
        self._reader = threading.Thread(target=self._read_stderr, daemon=True)
        self._reader.start()
        try:
            self.address = self._announced("listening on")
            self.admin = self._announced("admin on") if "admin:" in configuration else None
        except AssertionError:
            self.kill()
            raise AssertionError(f"penstock did not start:\n{self.stderr}\n{configuration}") from None

    def write_configuration(self, text):
        with open(self.path, "w", encoding="utf-8") as file:
            file.write(text)

    def _read_stderr(self):
        for line in self.process.stderr:
            self._lines.append(line.decode("utf-8", "replace"))

    def _announced(self, words):
        pattern = re.compile(re.escape(words) + r" ([^\s\"']+):([0-9]+)")

        def found():
            match = next(filter(None, map(pattern.search, list(self._lines))), None)
            return match or self.process.poll() is not None
        match = wait_until(found, DEADLINE, f"'{words}' on stderr")
        if match is True:
            raise AssertionError("it ended")
        return match[1], int(match[2])

    @property
    def stderr(self):
        return "".join(list(self._lines))

    @property
    def stdout(self):
        """The access log so far."""
        with open(self._stdout_path, encoding="utf-8") as file:
            return file.read()

    @property
    def running(self):
        return self.process.poll() is None

    def resident_bytes(self):
        with open(f"/proc/{self.process.pid}/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def signal(self, number):
        self.process.send_signal(number)

    def kill(self):
        if self.running:
            self.process.kill()
        self.process.wait(DEADLINE)
        self._reader.join(DEADLINE)
        self.process.stderr.close()

    def wait_for_end(self, deadline=2 * DEADLINE):
        """Waits for the process to end by itself; returns its exit status."""
        try:
            return self.process.wait(deadline)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"penstock did not end within {deadline:g} s:\n{self.stderr[-4000:]}") from None

    def stop(self):
        """SIGTERM; raises unless it ends with the status expected (0) and without a sanitizer report."""
        try:
            if self.running:
                self.signal(signal.SIGTERM)
            status = self.wait_for_end()
        finally:
            self.kill()
        if status not in self.expected_statuses:
            raise AssertionError(f"penstock ended with {status}:\n{self.stderr[-8000:]}")
        if SANITIZER_REPORT.search(self.stderr):
            raise AssertionError(f"sanitizer report:\n{self.stderr[-16000:]}")
