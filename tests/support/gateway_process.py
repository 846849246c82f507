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
    return os.path.abspath(path)  # it is started in folders of its own


def refuse_sanitizer_report(stderr):
    found = SANITIZER_REPORT.search(stderr)
    if found:  # from a little before it: what was logged behind it would hide it
        raise AssertionError(f"sanitizer report:\n{stderr[max(0, found.start() - 1000):found.start() + 16000]}")


def run_command(*arguments, cwd=None, environment=None):
    """Runs a command that ends by itself."""
    done = subprocess.run([binary(), *arguments], cwd=cwd, env=environment, stdin=subprocess.DEVNULL,
                          capture_output=True, timeout=2 * DEADLINE, check=False)
    done.stdout, done.stderr = done.stdout.decode(), done.stderr.decode()
    refuse_sanitizer_report(done.stderr)
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

    def processor_seconds(self):
        """That it has used so far, in all its threads."""
        with open(f"/proc/{self.process.pid}/stat", encoding="ascii") as file:
            of_both_kinds = file.read().rpartition(")")[2].split()[11:13]
        return sum(map(int, of_both_kinds)) / os.sysconf("SC_CLK_TCK")

    def signal(self, number):
        self.process.send_signal(number)

    def kill(self):
        """SIGKILL, unless it has ended; raises if it had reported anything of a sanitizer's."""
        if self.running:
            self.process.kill()
        self.process.wait(DEADLINE)
        self._reader.join(DEADLINE)
        self.process.stderr.close()
        refuse_sanitizer_report(self.stderr)

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
