#!/usr/bin/env python3
"""The runner must be able to fail. Usage: run_test.py BUILD_DIR

Each case is mutant 00 with one thing wrong, and the words the runner must say about it.
"""
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
GOOD = (HERE / '00-base45-overflow.patch').read_text(encoding='utf-8')
CAUGHT_BY = 'caught-by: unit_common_base'
CASES = (
    ('a mutant that is caught', GOOD, 0, 'caught by unit_common_base'),
    ('a survivor', GOOD.replace(CAUGHT_BY, CAUGHT_BY + ' --test-case=none'), 1, 'SURVIVES'),
    ('code that moved on', GOOD.replace('-        if (n > (', '-        if (n >= ('), 1,
     'no longer applies'),
    ('a mutant that is no C++', GOOD.replace('0x1ffffU', 'nonsense'), 1, 'does not compile'),
    ('a header without seed', GOOD.replace('seed: -\n', ''), 1, 'the header lacks seed'),
    ('a header file', GOOD.replace('base45.cpp', 'base45.hpp'), 1, 'exactly one .cpp file'),
    ('the wrong failure', GOOD.replace('seed: -\n', 'seed: -\nsays: bananas\n'), 1,
     'does not say "bananas"'),
    ('words of another invariant', GOOD.replace('invariant: -', 'invariant: 3')
     .replace('seed: -\n', 'seed: -\nsays: invariant 2\n'), 1, 'its own'),
    ('another seed than the test runs', GOOD.replace('seed: -\n', 'seed: 7\n'), 1,
     'seed says 7, and caught-by none'),
    ('a test that fails anyway', GOOD.replace(CAUGHT_BY, 'caught-by: fuzz_base45 no-such-file'), 1,
     'fails without the mutant too'),
)


class Runner(unittest.TestCase):
    def test_every_case(self):
        for what, patch, code, words in CASES:
            with self.subTest(what), tempfile.TemporaryDirectory() as folder:
                (Path(folder) / '00-x.patch').write_text(patch, encoding='utf-8')
                done = subprocess.run(
                    [sys.executable, '-B', HERE / 'run', '--preset-dir', BUILD, '--folder', folder,
                     '--all'], capture_output=True, text=True)
                self.assertEqual(done.returncode, code, done.stdout + done.stderr)
                self.assertIn(words, done.stdout)


if __name__ == '__main__':
    BUILD = sys.argv.pop(1)
    unittest.main()
