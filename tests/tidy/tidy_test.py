#!/usr/bin/env python3
"""Tidy must be able to fail: each violation is planted in a small clean tree and must be found."""
import sys
import tempfile
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))
import cpp_text  # noqa: E402
import tidy  # noqa: E402

ROOMS = '''
[groups.rooms]
common = ["common/base"]
[groups.libraries]
asio = ["boost/asio"]
[links]
"ZXing::ZXing" = { header = "ZXing/ReadBarcode.h" }
"paifang::asio" = { header = "boost/asio.hpp", many_rooms = true }
[rooms."common/base"]
uses = []
libraries = []
[rooms."common/mqtt"]
uses = ["common/base"]
libraries = ["mqtt/", "thread"]
[rooms."firmware/lane"]
uses = ["@common"]
libraries = []
[rooms."firmware/scan"]
uses = ["@common", "firmware/lane"]
libraries = ["ZXing/"]
[rooms."sync-server/http"]
uses = ["@common"]
libraries = ["@asio"]
[rooms."tests"]
uses = ["*"]
libraries = ["*"]
'''
CLEAN = {
    'CMakeLists.txt': 'paifang_rooms(common firmware tests)',
    'common/CMakeLists.txt': 'paifang_rooms(base)',
    'common/base/CMakeLists.txt': 'paifang_room(common_base SOURCES bytes.cpp)',
    'common/base/README.md': '# base\n',
    'common/base/bytes.hpp': '#pragma once\n#include <string>\n',
    'common/base/bytes.cpp': '#include "common/base/bytes.hpp"\n',
    'firmware/CMakeLists.txt': 'paifang_rooms(lane scan)',
    'firmware/lane/CMakeLists.txt': 'paifang_room(firmware_lane SOURCES lane.cpp)',
    'firmware/lane/README.md': '# lane\n',
    'firmware/lane/lane.hpp': '#pragma once\n#include "common/base/bytes.hpp"\n',
    'firmware/lane/lane.cpp': '#include "firmware/lane/lane.hpp"\n// docs/adr/0001\n',
    'firmware/scan/CMakeLists.txt':
        'paifang_room(firmware_scan PUBLIC common::base PRIVATE ZXing::ZXing)\n',
    'firmware/scan/README.md': '# scan\n',
    'firmware/scan/scan.hpp': '#pragma once\n#include <ZXing/ReadBarcode.h>\n',
    'sync-server/http/http.hpp': '#pragma once\n',
    'tests/CMakeLists.txt': 'paifang_rooms(unit)',
    'tests/unit/CMakeLists.txt': 'paifang_test(unit_x SOURCES x_test.cpp)',
    'tests/unit/x_test.cpp': '#include "firmware/scan/scan.hpp"\n',
    'tests/tidy/rooms.toml': ROOMS,
    'tests/tidy/exceptions.toml': '',
    'docs/adr/0001-steps.md': '# 0001\n',
}
LANE = 'firmware/lane/lane.cpp'
LONG = 'int f(int a) {\n' + '    ++a;\n' * 70 + '    return a;\n}\n'


def switch(label):
    return 'int f(K k) {\n    switch (k) {\n        case ' + label + ': return 1;\n' \
        '        default: return 0;\n    }\n}\n'


# (what is planted, file, text to append or to write, what the finding must say)
PLANTED = (
    ('an edge that is not in the table', LANE, '#include "firmware/scan/scan.hpp"\n',
     'lane.cpp:3: `firmware/lane` may not include `firmware/scan/scan.hpp`; allowed: common/base'),
    ('the other program', LANE, '#include "sync-server/http/http.hpp"\n', 'may not include `sync'),
    ('a relative include', LANE, '#include "lane.hpp"\n', 'is no address from the root'),
    ('a library outside its room', LANE, '#include <ZXing/ReadBarcode.h>\n', '`<ZXing/ReadBarcode'),
    ('a thread in a step machine', LANE, '#include <thread>\n', 'may not include `<thread>`'),
    ('a library that travels in a header', 'common/base/bytes.hpp', '#include <boost/asio.hpp>\n',
     '`common/base/bytes.hpp` brings <boost/asio.hpp> into `firmware/lane`'),
    ('a file in no room', 'firmware/new/a.hpp', '#pragma once\n', 'is in no room'),
    ('a table that joins the programs', 'tests/tidy/rooms.toml',
     '[rooms."firmware/app"]\nuses = ["sync-server/http"]\nlibraries = []\n', 'may never include'),
    ('a table that lets common do I/O', 'tests/tidy/rooms.toml',
     '[rooms."common/wire"]\nuses = ["common/mqtt"]\nlibraries = []\n', 'it has I/O'),
    ('a long line', LANE, '//' + ' ' * 99 + 'x\n', '102 columns'),
    ('a long file', LANE, '//\n' * 500, '502 lines'),
    ('a long function', LANE, LONG, 'function of 73 lines'),
    ('a long function in a class', LANE,
     'namespace a {\nclass B : public C {\n' + LONG + '};\n}\n',
     'lane.cpp:5: function of 73 lines'),
    ('a long function with a braced default', LANE, LONG.replace('int a', 'int a = {}'),
     'function of 73 lines'),
    ('a tab', LANE, '\tint x;\n', 'tab character'),
    ("a machine's path", LANE, '// /wo' 'rk/main/x\n', "a machine's path"),
    ('a wish without an id', LANE, '// TO' 'DO later\n', 'without an id'),
    ('a clock', LANE, 'auto t = std::chrono::steady_clock::now();\n', 'reads a clock'),
    ('a clock in a unit test', 'tests/unit/x_test.cpp', 'auto t = Clock::now();\n',
     'reads a clock'),
    ('a sleep in a unit test', 'tests/unit/x_test.cpp', 'std::this_thread::sleep_for(1s);\n',
     'sleeps'),
    ('a sleep in a Python test', 'tests/unit/x.py', 'import time\n\ntime.sleep(1)\n', 'x.py:3: sleeps'),
    ('a sleep by its own name', 'tests/unit/x.py', 'from time import monotonic, sleep\n',
     'x.py:1: sleeps'),
    ('a library handed on', 'firmware/scan/CMakeLists.txt',
     'target_link_libraries(firmware_scan\n    PUBLIC ZXing::ZXing)\n',
     'CMakeLists.txt:3: links ZXing::ZXing PUBLIC'),
    ('a library handed on by silence', 'firmware/scan/CMakeLists.txt',
     'target_link_libraries(firmware_scan ZXing::ZXing)\n', 'links ZXing::ZXing PUBLIC'),
    ('a library linked outside its room', 'firmware/lane/CMakeLists.txt',
     '\npaifang_program(lane main.cpp LINK ZXing::ZXing)\n', '`firmware/lane` may not link ZXing'),
    ('a library nobody knows', 'firmware/scan/CMakeLists.txt',
     'paifang_room(a SOURCES b.c PRIVATE New::New)\n', 'links New::New, which [links]'),
    ('a library in a second room', 'tests/tidy/rooms.toml',
     '[rooms."firmware/app"]\nuses = []\nlibraries = ["ZXing/"]\n', 'one room a program',
     ('firmware/app/CMakeLists.txt', 'paifang_room(firmware_app PRIVATE ZXing::ZXing)\n')),
    ('a swallowed exception', LANE, 'void g() { try { f(); } catch (...) {} }\n',
     'swallows bugs'),
    ('a frame captured by a handler', LANE, 'void g() { asio::post(e, [&] { f(); }); }\n',
     '`[&]`'),
    ('a default over our enum', LANE, switch('Kind::a'), 'hides the next enumerator'),
    ('a header without guard', 'firmware/lane/b.hpp', 'int x;\n', 'no #pragma once'),
    ('a namespace opened in a header', 'firmware/lane/lane.hpp', 'using namespace std;\n',
     '`using namespace` in a header'),
    ('a source nobody builds', 'firmware/lane/dead.cpp', '\n', 'it is not built'),
    ('a source that is only a name', 'firmware/lane/CMakeLists.txt', '# gone.cpp\n',
     'names gone.cpp, which does not exist'),
    ('a test nobody builds', 'tests/unit/y/y_test.cpp', '\n', 'has no CMakeLists.txt'),
    ('a folder nobody adds', 'firmware/door/CMakeLists.txt', '\n', 'adds this folder'),
    ('a decision that does not exist', LANE, '// docs/adr/0099\n', 'docs/adr/0099, which does not'),
    ('a room without README', 'sync-server/http/CMakeLists.txt', '\n', 'has no README.md'),
    ('an exception nobody needs', 'tests/tidy/exceptions.toml', '[clock]\n"a.cpp" = "why"\n',
     'not needed any more'),
    ('a folder nobody needs excused', 'tests/tidy/exceptions.toml',
     '[clock]\n"firmware/lane/" = "why"\n', 'not needed any more'),
)
# What must pass: the near misses of the checks above.
INNOCENT = (
    ('words in comments and literals', LANE,
     '// std::thread sleeps at steady_clock::now(); catch (...)\nauto s = "catch (...)";\n'),
    ('a default over a number', LANE, switch("'x'")),
    ('an inner default over a number', LANE,
     'int f(K k) {\n    switch (k) {\n        case K::a: {\n            switch (1) {\n'
     '                case 1: return 2;\n                default: return 3;\n            }\n'
     '        }\n    }\n}\n'),
    ('a long table', LANE, 'constexpr int t[] = {\n' + '    1,\n' * 80 + '};\n'),
    ('a long table handed to a call', LANE,
     'constexpr auto t = std::to_array<T>({\n' + '    {1, f(2)},\n' * 80 + '});\n'),
    ('a long switch that only maps values', LANE,
     'int f(K k) {\n    switch (k) {\n' + '        case K::a:\n            return 1;\n' * 50
     + '    }\n    return 0;\n}\n'),
    ('a long class of short functions', LANE,
     'class B {\n' + '    int f() { return 1; }\n' * 80 + '};\n'),
    ('a wish with an id', LANE, '// TO' 'DO(#12) later\n'),
    ('a source the build writes', 'firmware/lane/CMakeLists.txt',
     'set(x ${CMAKE_CURRENT_BINARY_DIR}/made.cpp)\n'),
    ('an excused clock', 'tests/tidy/exceptions.toml', '[clock]\n"firmware/lane/" = "why"\n',
     (LANE, 'auto t = std::chrono::steady_clock::now();\n')),
    ('an excused library', 'tests/tidy/exceptions.toml',
     '[public_link]\n"firmware/scan/CMakeLists.txt" = "why"\n',
     ('firmware/scan/CMakeLists.txt', 'target_link_libraries(x PUBLIC ZXing::ZXing)\n')),
    ('a sleep in words', 'tests/unit/x.py', '# time.sleep(1)\nx = "time.sleep(1)"\n'),
)


def found(*planted):
    """(check, finding) of the clean tree with each (file, text) appended."""
    with tempfile.TemporaryDirectory() as folder:
        for name, content in CLEAN.items():
            (Path(folder) / name).parent.mkdir(parents=True, exist_ok=True)
            (Path(folder) / name).write_text(content, encoding='utf-8')
        for path, text in planted:
            (Path(folder) / path).parent.mkdir(parents=True, exist_ok=True)
            with open(Path(folder) / path, 'a', encoding='utf-8') as out:
                out.write(text)
        return list(tidy.findings_by_check(folder))


class Planted(unittest.TestCase):
    def test_the_clean_tree_is_clean(self):
        self.assertEqual(found(), [])

    def test_every_planted_violation_is_found_and_every_check_finds_one(self):
        useful = set()
        for what, path, text, expected, *more in PLANTED:
            with self.subTest(what):
                lines = found((path, text), *more)
                useful |= {check for check, line in lines if expected in line}
                self.assertTrue(any(expected in line for _, line in lines), lines)
        self.assertEqual({check.__name__ for check in tidy.CHECKS}, useful)

    def test_near_misses_pass(self):
        for what, path, text, *more in INNOCENT:
            with self.subTest(what):
                self.assertEqual(found((path, text), *more), [])

    def test_stripping_keeps_lines_and_digit_separators(self):
        code = "int a = 1'000; // x's\nauto b = R\"(\n{ \" )\";\nchar c = '{';\n"
        stripped = cpp_text.strip(code)
        self.assertEqual(stripped.count('\n'), code.count('\n'))
        self.assertIn("1'000", stripped)
        self.assertNotIn('{', stripped)


if __name__ == '__main__':
    unittest.main()
