"""Every rule of tools/check_source.py: a small tree that it refuses, for the reason named, and its nearest neighbour that it lets pass."""

import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

CHECKER = Path(__file__).resolve().parents[2] / "tools" / "check_source.py"

HEADER = "// What it knows.\n#pragma once\n\n"

# name of the case, path of the one file in the tree, its text, the rule that must refuse it
REFUSED = [
    ("limiter must not know proxy", "limiter/admit.cpp", '#include "proxy/failure.hpp"\n', "arrows"),
    ("proxy must not know limiter", "proxy/forward.cpp", '#include "limiter/store.hpp"\n', "arrows"),
    ("proxy reaches base, not partition", "proxy/forward.cpp", '#include "partition/matcher.hpp"\n', "arrows"),
    ("partition reaches only base", "partition/matcher.cpp", '#include "limiter/policy.hpp"\n', "arrows"),
    ("base reaches nothing", "base/clock.cpp", '#include "partition/matcher.hpp"\n', "arrows"),
    ("no arrow runs back up", "conf/load.cpp", '#include "gateway/app.hpp"\n', "arrows"),
    ("product does not include tests", "gateway/app.cpp", '#include "tests/support/port.hpp"\n', "arrows"),
    ("spaces hide nothing", "limiter/admit.cpp", '  #  include <proxy/failure.hpp>\n', "arrows"),
    ("no way around by ..", "limiter/admit.cpp", '#include "../proxy/failure.hpp"\n', "arrows"),
    ("yaml outside conf", "gateway/app.cpp", "#include <yaml-cpp/yaml.h>\n", "borders"),
    ("hiredis outside limiter/redis", "limiter/admit.cpp", "#include <hiredis/hiredis.h>\n", "borders"),
    ("hiredis by its short name", "limiter/admit.cpp", "#include <hiredis.h>\n", "borders"),
    ("json outside gateway", "conf/load.cpp", "#include <nlohmann/json.hpp>\n", "borders"),
    ("Beast in limiter", "limiter/redis/connection.cpp", "#include <boost/beast/core.hpp>\n", "borders"),
    ("spdlog outside gateway", "proxy/forward.cpp", "#include <spdlog/spdlog.h>\n", "borders"),
    ("unit tests stay on their side too", "tests/unit/proxy/a_test.cpp", "#include <yaml-cpp/yaml.h>\n", "borders"),
    ("Asio in base", "base/clock.cpp", "#include <boost/asio/steady_timer.hpp>\n", "asio"),
    ("Asio in partition", "partition/matcher.cpp", "#include <boost/asio.hpp>\n", "asio"),
    ("steady clock", "proxy/forward.cpp", "auto t = std::chrono::steady_clock::now();\n", "clock"),
    ("system clock by a using", "gateway/app.cpp", "auto t = system_clock :: now();\n", "clock"),
    ("a timer's clock", "limiter/redis/connection.cpp", "auto t = asio::steady_timer::clock_type::now();\n", "clock"),
    ("clock_gettime", "gateway/app.cpp", "clock_gettime(CLOCK_REALTIME, &ts);\n", "clock"),
    ("gettimeofday", "gateway/app.cpp", "::gettimeofday(&tv, nullptr);\n", "clock"),
    ("time()", "gateway/app.cpp", "auto t = std::time(nullptr);\n", "clock"),
    ("time(&x)", "gateway/app.cpp", "time(&now);\n", "clock"),
    ("unit tests have no clock", "tests/unit/limiter/a_test.cpp", "auto t = std::chrono::steady_clock::now();\n", "clock"),
    ("a decision reads no clock", "limiter/gcra.cpp", "auto now = base::clock::now();\n", "decides"),
    ("product sleeps", "proxy/forward.cpp", "std::this_thread::sleep_for(1s);\n", "sleep"),
    ("a test sleeps", "tests/integration/a_test.cpp", "usleep(1000);\n", "sleep"),
    ("a test sleeps for seconds", "tests/integration/a_test.cpp", "::sleep(1);\n", "sleep"),
    ("a python test sleeps", "tests/integration/a_test.py", "import time\ndef test():\n    time.sleep(1)\n", "sleep"),
    ("two tests of one name", "tests/integration/a_test.py", "class A:\n    def test_b(self):\n        pass\n    def test_b(self):\n        pass\n", "twice"),
    ("asyncio sleeps too", "tests/integration/a_test.py", "async def test():\n    await asyncio.sleep(1)\n", "sleep"),
    ("an await that is negated at once", "gateway/worker.cpp", "if (!co_await tell()) co_return;\n", "negated"),
    ("detached", "gateway/worker.cpp", "co_spawn(context, serve(), asio::detached);\n", "detached"),
    ("a refused word", "gateway/route_manager.cpp", "", "name"),
    ("a refused folder", "gateway/utils/route.cpp", "", "name"),
    ("no opening comment", "base/a.hpp", "#pragma once\n", "header"),
    ("no #pragma once", "base/a.hpp", "// What it knows.\n#ifndef A\n#define A\n#endif\n", "header"),
    ("include before #pragma once", "base/a.hpp", "// What it knows.\n#include <string>\n#pragma once\n", "header"),
    ("a header of comments alone", "base/a.hpp", "// What it knows.\n", "header"),
    ("unfinished C++", "gateway/app.cpp", "// TODO: later\n", "unfinished"),
    ("unfinished Lua", "lua/acquire.lua", "-- FIXME\n", "unfinished"),
    ("a link to a page that is not there", "docs/a.md", "See [b](b.md).\n", "links"),
    ("also with a place in it", "README.md", "See [b](docs/b.md#c).\n", "links"),
    ("an image without a room", ".dockerignore", "*\n!base\n!conf\n!gateway\n!limiter\n!partition\n!proxy\n", "image"),
]

ACCEPTED = [
    ("a link to what is there", "docs/a.md", "[here](../docs/a.md#top), [top](#top)\n"),
    ("a link to the web", "README.md", "[web](https://example.org/a.md)\n"),
    ("a link that is code", "README.md", "`[b](b.md)`\n\n```cpp\n[](int){}; [b](b.md)\n```\n"),
    ("gateway reaches all", "gateway/app.cpp", '#include "conf/load.hpp"\n#include "proxy/forward.hpp"\n#include "base/clock.hpp"\n'),
    ("conf reaches both sides", "conf/load.cpp", '#include "limiter/policy.hpp"\n#include "proxy/route_table.hpp"\n'),
    ("tests reach every room", "tests/contract/a_test.cpp", '#include "limiter/store.hpp"\n#include "proxy/forward.hpp"\n'),
    ("a commented include", "limiter/admit.cpp", '// #include "proxy/failure.hpp"\n/*\n#include "proxy/failure.hpp"\n*/\n'),
    ("a third-party folder named like no room", "limiter/admit.cpp", "#include <boost/container/static_vector.hpp>\n"),
    ("yaml in conf", "conf/document.cpp", "#include <yaml-cpp/yaml.h>\n"),
    ("yaml in conf's unit tests", "tests/unit/conf/document_test.cpp", "#include <yaml-cpp/yaml.h>\n"),
    ("hiredis behind its border", "limiter/redis/codec.cpp", "#include <hiredis/read.h>\n"),
    ("Beast compiled once", "cmake/asio.cpp", "#include <boost/beast/src.hpp>\n"),
    ("Asio in limiter", "limiter/store.hpp", HEADER + "#include <boost/asio/awaitable.hpp>\n"),
    ("the one clock", "base/clock.cpp", "auto t = std::chrono::steady_clock::now();\n"),
    ("benchmarks measure", "bench/decide.cpp", "auto t = std::chrono::steady_clock::now();\nstd::this_thread::sleep_for(1s);\n"),
    ("a shell reads the program's clock", "proxy/forward.cpp", "auto now = base::clock::now();\n"),
    ("what awaits is a shell", "limiter/acquire.cpp", "auto now = base::clock::now();\nco_await ask(now);\n"),
    ("clock named in a comment or a string", "gateway/app.cpp", '// steady_clock::now()\nauto s = "time(nullptr) sleep_for detached";\n'),
    ("a member called time", "gateway/app.cpp", "auto t = record.time(0); auto u = uptime(0);\n"),
    ("digit separators are no quotes", "gateway/app.cpp", "int a = 1'000; int b = 2; // it's\nint c = 'x';\n"),
    ("wait_until pauses", "tests/support/harness.py", "import time\ndef wait_until(condition):\n    time.sleep(0.01)\n"),
    ("one name in two classes", "tests/integration/a_test.py", "class A:\n    def test(self):\n        pass\nclass B:\n    def test(self):\n        pass\n"),
    ("words inside words", "conf/load_information.cpp", ""),
    ("a plain header", "base/a.hpp", HEADER + "namespace penstock::base {}\n"),
    ("an image of all rooms", ".dockerignore", "*\n!auth\n!base\n!conf\n!gateway\n!limiter\n!partition\n!proxy\n"),
    ("hidden and cached folders", "tests/__pycache__/helper.py", "# TODO\n"),
]


def check(path, text):
    with tempfile.TemporaryDirectory() as root:
        file = Path(root) / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        return subprocess.run([sys.executable, CHECKER, root], capture_output=True, text=True, timeout=60, check=False)


class CheckSource(unittest.TestCase):
    def test_refused(self):
        for case, path, text, rule in REFUSED:
            with self.subTest(case):
                answer = check(path, text)
                self.assertEqual(answer.returncode, 1, answer.stdout + answer.stderr)
                for line in answer.stdout.splitlines():
                    self.assertRegex(line, rf"^{path}:\d+: {rule}: .+; .+$")

    def test_accepted(self):
        for case, path, text in ACCEPTED:
            with self.subTest(case):
                answer = check(path, text)
                self.assertEqual((answer.returncode, answer.stdout), (0, ""), answer.stderr)

    def test_line_numbers(self):
        answer = check("gateway/app.cpp", '/* two\n lines */\nauto s = R"(raw\nstring)";\nco_spawn(c, f(), detached);\n')
        self.assertTrue(answer.stdout.startswith("gateway/app.cpp:5: detached:"), answer.stdout)

    def test_every_refusal_is_listed(self):
        answer = check("base/b.hpp", '#include "proxy/a.hpp"\n#include <yaml-cpp/yaml.h>\n')
        rules = [line.split(": ")[1] for line in answer.stdout.splitlines()]
        self.assertEqual(rules, ["arrows", "borders", "header", "header"])

    def test_usage(self):
        answer = subprocess.run([sys.executable, CHECKER, "--what"], capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(answer.returncode, 2)
        self.assertIn("Usage:", answer.stderr)


if __name__ == "__main__":
    unittest.main()
