#!/usr/bin/env python3
"""The architecture as a test. Usage: tests/tidy/tidy.py [ROOT]

Prints one line per finding (`file:line: what is wrong`) and exits 1 when there is any.
"""
import io
import os
import re
import sys
import tokenize
import tomllib
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))
import cpp_text  # noqa: E402

LINES_PER_FILE_MAX = 500
LINES_PER_FUNCTION_MAX = 70
COLUMNS_MAX = 100
PYTHON_COLUMNS_MAX = 120  # on purpose: scripts carry whole sentences of a tour and of SQL
TOPS = ('common', 'firmware', 'sync-server', 'boards')
CPP = ('.cpp', '.hpp')
TEXT = CPP + ('.txt', '.cmake', '.py', '.md', '.toml', '.json', '.cddl', '.yaml', '.sh', '.patch',
              '')
# Standard headers that reach outside the program: a room names them in its table or does without.
GUARDED_STANDARD = {
    'thread', 'mutex', 'shared_mutex', 'condition_variable', 'future', 'stop_token', 'semaphore',
    'latch', 'barrier', 'fstream', 'filesystem', 'iostream', 'random'}
C_STANDARD = {'assert.h', 'stdint.h', 'stddef.h', 'string.h', 'errno.h', 'limits.h', 'math.h'}
# Libraries whose types must not travel in a header to a room that does not own them.
TRAVELLING = ('boost/asio', 'boost/beast', 'nlohmann/', 'soci/', 'sqlite3.h', 'SQLiteCpp/', 'mqtt/',
              'mbedtls/', 'cbor.h', 'ZXing/', 'openssl/', 'spdlog/', 'toml++/', 'CLI/')
INCLUDE = re.compile(r'^\s*#\s*include\s*(?:"([^"]+)"|<([^>]+)>)')


def python_text(text):
    """The text with its comments and literals blanked, line by line as it was."""
    lines = [list(line) for line in text.splitlines(keepends=True)]
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(text).readline))
    except (tokenize.TokenError, SyntaxError):
        return text  # not Python 3; whoever runs it will say so
    for token in tokens:
        if token.type not in (tokenize.COMMENT, tokenize.STRING):
            continue
        (first, begin), (last, end) = token.start, token.end
        for number in range(first, last + 1):
            line = lines[number - 1]
            for at in range(begin if number == first else 0, end if number == last else len(line)):
                if line[at] != '\n':
                    line[at] = ' '
    return ''.join(map(''.join, lines))


class Tree:
    """Every file of the project, read once."""

    def __init__(self, root):
        self.root = Path(root)
        self.files = {}
        for folder, folders, names in os.walk(self.root):
            folders[:] = sorted(f for f in folders
                                if f not in ('build', 'node_modules', 'dist', '__pycache__')
                                and (not f.startswith('.') or f == '.ci'))
            for name in sorted(names):
                path = Path(folder) / name
                relative = path.relative_to(self.root).as_posix()
                # In a worktree .git is a file with a path of this machine.
                if relative == '.git' or '/corpus/' in relative or path.suffix not in TEXT:
                    continue
                try:
                    self.files[relative] = path.read_text(encoding='utf-8')
                except UnicodeDecodeError:
                    continue  # a picture or a vector, not text
        self.code = {path: cpp_text.strip(text) for path, text in self.files.items()
                     if path.endswith(CPP)}
        self.python = {path: python_text(text) for path, text in self.files.items()
                       if path.endswith('.py')}

    def under(self, *prefixes):
        return [path for path in self.code if path.startswith(prefixes)]


class Rooms:
    def __init__(self, table):
        self.groups = table.get('groups', {})
        self.links = table.get('links', {})
        self.rooms = {name: {
            'uses': self._expand('rooms', room['uses']),
            'libraries': self._expand('libraries', room['libraries'])}
            for name, room in table['rooms'].items()}

    def _expand(self, kind, names):
        out = []
        for name in names:
            out += self.groups[kind][name[1:]] if name.startswith('@') else [name]
        return out

    def of(self, path):
        parts = path.split('/')[:-1]
        while parts:
            if '/'.join(parts) in self.rooms:
                return '/'.join(parts)
            parts.pop()
        return None

    def may_use(self, room, header):
        target = self.of(header)
        uses = self.rooms[room]['uses']
        return target == room or '*' in uses or target in uses or header in uses

    def may_link(self, room, include):
        libraries = self.rooms[room]['libraries']
        return '*' in libraries or any(
            include == prefix or ('.' in prefix + include or '/' in prefix) and
            include.startswith(prefix) for prefix in libraries)


class Exceptions:
    """Which files a check passes over; remembers what was needed."""

    def __init__(self, table):
        self.table = table
        self.needed = set()

    def covers(self, check, path):
        for entry in self.table.get(check, {}):
            if path == entry or entry.endswith('/') and path.startswith(entry):
                self.needed.add((check, entry))
                return True
        return False


def includes(text):
    for number, line in enumerate(text.splitlines(), 1):
        match = INCLUDE.match(line)
        if match:
            yield number, match.group(1), match.group(2)


def guarded(include):
    if include in C_STANDARD:
        return False
    return include in GUARDED_STANDARD or '.' in include or '/' in include


def check_edges(tree, rooms, _):
    for path in tree.code:
        room = rooms.of(path)
        if room is None:
            yield path, 1, 'is in no room of tests/tidy/rooms.toml'
            continue
        allowed = rooms.rooms[room]
        for number, own, foreign in includes(tree.files[path]):
            if own is not None:
                if own not in tree.files:
                    yield path, number, f'`{own}` is no address from the root'
                elif not rooms.may_use(room, own):
                    yield (path, number, f'`{room}` may not include `{own}`; '
                           f'allowed: {", ".join(allowed["uses"]) or "nothing"}')
            elif guarded(foreign) and not rooms.may_link(room, foreign):
                yield (path, number, f'`{room}` may not include `<{foreign}>`; '
                       f'allowed: {", ".join(allowed["libraries"]) or "nothing"}')


def check_travelling_libraries(tree, rooms, _):
    """A header must not hand its room's library to a room that may not name it."""
    reach = {}

    def libraries_of(header, seen):
        if header in reach or header in seen or header not in tree.code:
            return reach.get(header, set())
        seen.add(header)
        found = set()
        for _number, own, foreign in includes(tree.files[header]):
            if own is not None:
                found |= libraries_of(own, seen)
            elif foreign.startswith(TRAVELLING):
                found.add(foreign)
        reach[header] = found
        return found

    for path in tree.code:
        room = rooms.of(path)
        if room is None:
            continue
        for number, own, _foreign in includes(tree.files[path]):
            if own is None or rooms.of(own) == room:
                continue
            for library in sorted(libraries_of(own, set())):
                if not rooms.may_link(room, library):
                    yield path, number, f'`{own}` brings <{library}> into `{room}`'
                    break


def check_table(tree, rooms, _):
    for name, room in rooms.rooms.items():
        if name == 'tests':
            continue
        for used in room['uses']:
            top, other = name.split('/')[0], used.split('/')[0]
            if {top, other} == {'firmware', 'sync-server'} or top == 'common' != other:
                yield 'tests/tidy/rooms.toml', 1, f'`{name}` may never include `{used}`'
            if top == 'common' and used.startswith('common/mqtt'):
                yield ('tests/tidy/rooms.toml', 1,
                       f'`{name}` may not include common/mqtt: it has I/O')


def check_lengths(tree, _, exceptions):
    for path, text in tree.files.items():
        lines = text.splitlines()
        if not path.endswith(CPP + ('.py',)):
            continue
        most = PYTHON_COLUMNS_MAX if path.endswith('.py') else COLUMNS_MAX
        for number, line in enumerate(lines, 1):
            if len(line) > most:
                yield path, number, f'{len(line)} columns; at most {most}'
        if path.startswith('tests/'):
            continue
        if len(lines) > LINES_PER_FILE_MAX and not exceptions.covers('file_length', path):
            yield path, 1, f'{len(lines)} lines; at most {LINES_PER_FILE_MAX}'
        if path not in tree.code:
            continue
        for first, last, _header in cpp_text.functions(tree.code[path]):
            length = last - first + 1
            if length > LINES_PER_FUNCTION_MAX and not exceptions.covers('function_length', path):
                yield path, first, f'function of {length} lines; at most {LINES_PER_FUNCTION_MAX}'


def check_text(tree, _, __):
    machine = re.compile(r'(?<![\w/.~}])/(?:wo' r'rk|ro' r'ot)/')
    for path, text in tree.files.items():
        if path == 'LICENSE':
            continue
        for number, line in enumerate(text.splitlines(), 1):
            if '\t' in line and not path.endswith(('.patch', '.md')):
                yield path, number, 'tab character'
            if machine.search(line):
                yield path, number, "a machine's path"
            if re.search(r'\bTO' r'DO\b(?!\([\w#-]+\))', line) and path.endswith(CPP):
                yield path, number, 'a wish without an id of requirements or an issue'


BANNED = (
    # check, where it applies, pattern, what to say
    ('clock', TOPS + ('tests/unit', 'tests/simulation', 'tests/contract', 'tests/support'),
     r'(?:_clock|Clock)::now\s*\(|\b(?:gettimeofday|clock_gettime)\s*\('
     r'|\btime\s*\((?:nullptr|NULL|0)\)',
     'reads a clock; time is passed in (docs/adr/0001)'),
    ('sleep', TOPS + ('tests/',),
     r'\bsleep_(?:for|until)\b|\b(?:usleep|nanosleep)\s*\(|(?<![\w:.>])(?:::)?sleep\s*\(\d',
     'sleeps; wait for a condition, or move the fake clock'),
    ('catch_all', TOPS, r'\bcatch\s*\(\s*\.\.\.\s*\)', '`catch (...)` swallows bugs'),
    ('reference_capture', TOPS,
     r'\b(?:co_spawn|post|dispatch|defer|async_\w+)\s*\([^;{}]*\[&[\],]',
     '`[&]` in a lambda given to Asio outlives its frame'),
)


def check_banned(tree, _, exceptions):
    for check, where, pattern, words in BANNED:
        for path in tree.under(*where):
            for match in re.finditer(pattern, tree.code[path]):
                if not exceptions.covers(check, path):
                    yield path, cpp_text.line_of(tree.code[path], match.start()), words


def check_python_sleeps(tree, _, exceptions):
    """A test in Python that sleeps proves something about this machine today, or nothing."""
    pattern = re.compile(r'\btime\s*\.\s*sleep\b|\bfrom\s+time\s+import\b[^\n]*\bsleep\b')
    for path, text in tree.python.items():
        for match in pattern.finditer(text):
            if not exceptions.covers('sleep', path):
                yield (path, text.count('\n', 0, match.start()) + 1,
                       'sleeps; wait for a condition, as until() does')


LINKING = re.compile(r'\b(paifang_room|paifang_program|target_link_libraries)\s*\(([^()]*)\)')
VISIBILITY = ('PUBLIC', 'PRIVATE', 'INTERFACE', 'LINK')
OWN_TARGET = re.compile(r'(?:common|firmware|server|boards)(?:::|_)|paifang_')


def links(text):
    """(line, PUBLIC or PRIVATE or …, library) of everything a CMake file links."""
    text = re.sub(r'#[^\n]*', '', text)
    for call in LINKING.finditer(text):
        visibility = 'PUBLIC' if call[1] == 'target_link_libraries' else None
        words = list(re.finditer(r'\S+', call[2]))
        for word in words[1:]:
            if word[0].isupper() and '::' not in word[0]:
                visibility = word[0] if word[0] in VISIBILITY else None
            elif visibility:
                at = call.start(2) + word.start()
                yield text.count('\n', 0, at) + 1, visibility, word[0]


def check_links(tree, rooms, exceptions):
    """Third-party libraries: PRIVATE, by rooms whose table has them, most in one room a program."""
    homes = {}
    for path, text in tree.files.items():
        if not path.endswith('/CMakeLists.txt') or not path.startswith(TOPS):
            continue
        room = rooms.of(path)
        for line, visibility, library in links(text):
            if OWN_TARGET.match(library):
                continue
            link = rooms.links.get(library)
            if link is None:
                yield path, line, f'links {library}, which [links] of rooms.toml does not know'
                continue
            if room is None or not rooms.may_link(room, link['header']):
                yield path, line, f'`{room}` may not link {library}: <{link["header"]}> is not its own'
            if visibility in ('PUBLIC', 'INTERFACE') and not exceptions.covers('public_link', path):
                yield path, line, f'links {library} {visibility}: whoever links this room gets it too'
            program = path.split('/')[0]
            home = homes.setdefault((library, program), room)
            if home != room and not link.get('many_rooms', False):
                yield path, line, f'{library} is linked by `{home}` already; one room a program'


def check_headers(tree, _, __):
    for path, code in tree.code.items():
        if not path.endswith('.hpp') or not path.startswith(TOPS):
            continue
        if not re.search(r'^#pragma once$', tree.files[path], re.M):
            yield path, 1, 'no #pragma once'
        for match in re.finditer(r'^\s*using\s+namespace\b', code, re.M):
            yield path, cpp_text.line_of(code, match.start() + 1), '`using namespace` in a header'


def check_switches(tree, _, exceptions):
    for path in tree.under(*TOPS):
        for line in cpp_text.enum_switches_with_default(tree.code[path]):
            if not exceptions.covers('switch_default', path):
                yield path, line, '`default:` in a switch over an enum hides the next enumerator'


def check_built(tree, _, __):
    """Every .cpp is named in a CMake file of its folder or above; every folder by its parent."""
    generated = re.compile(r'\$\{CMAKE_(?:CURRENT_)?BINARY_DIR\}/[\w./-]+')
    words = {path.rpartition('/')[0]: {word.lstrip('/') for word in
                                       re.findall(r'[\w./-]+', generated.sub('', text))}
             for path, text in tree.files.items() if path.split('/')[-1] == 'CMakeLists.txt'}
    for path in tree.code:
        if not path.endswith('.cpp'):
            continue
        parts = path.split('/')
        above = [('/'.join(parts[:depth]), '/'.join(parts[depth:])) for depth in range(len(parts))]
        if not any({rest, path} & words.get(folder, set()) for folder, rest in above):
            yield path, 1, 'is named in no CMakeLists.txt: it is not built'
    for folder, named in words.items():
        for word in sorted(named):
            if word.endswith('.cpp') and not {word, f'{folder}/{word}'} & tree.code.keys():
                yield f'{folder}/CMakeLists.txt', 1, f'names {word}, which does not exist'
    for folder in words:
        parent, _slash, name = folder.rpartition('/')
        globbed = '*/CMakeLists.txt' in tree.files.get(f'{parent}/CMakeLists.txt', '')
        if folder == '' or globbed:
            continue
        if not any(folder[len(above):].lstrip('/') in words.get(above, ())
                   for above in (parent, '', parent.rpartition('/')[0])):
            yield f'{folder}/CMakeLists.txt', 1, 'no CMakeLists.txt above adds this folder'
    for path in tree.files:
        folder = path.rpartition('/')[0]
        if path.startswith('tests/unit/') and path.endswith('.cpp') and folder not in words:
            yield path, 1, 'its folder has no CMakeLists.txt: the test is not built'


def check_documents(tree, rooms, _):
    numbers = {path.split('/')[-1][:4] for path in tree.files if path.startswith('docs/adr/')}
    for path, text in tree.files.items():
        if path.startswith('tests/tidy/'):
            continue
        for number, line in enumerate(text.splitlines(), 1):
            for cited in re.findall(r'\badr/(\d{4})|\bADR[- ](\d{1,4})\b', line):
                wanted = (cited[0] or cited[1]).zfill(4)
                if wanted not in numbers:
                    yield path, number, f'cites docs/adr/{wanted}, which does not exist'
    built = {path.rpartition('/')[0] for path in tree.files if path.endswith('/CMakeLists.txt')}
    for room in rooms.rooms:
        if room.startswith(TOPS) and room in built and f'{room}/README.md' not in tree.files:
            yield f'{room}/CMakeLists.txt', 1, f'`{room}` has no README.md'


def check_exceptions(tree, _, exceptions):
    """Runs last: an exception must earn its place, every time."""
    for check, entries in exceptions.table.items():
        for entry in entries:
            if (check, entry) not in exceptions.needed:
                yield 'tests/tidy/exceptions.toml', 1, f'[{check}] {entry}: not needed any more'


CHECKS = (check_table, check_edges, check_travelling_libraries, check_lengths, check_text,
          check_banned, check_python_sleeps, check_links, check_headers, check_switches, check_built, check_documents,
          check_exceptions)


def findings_by_check(root):
    """Yields (name of the check, finding)."""
    tree = Tree(root)
    tables = Path(root) / 'tests/tidy'
    rooms = Rooms(tomllib.loads((tables / 'rooms.toml').read_text(encoding='utf-8')))
    exceptions = Exceptions(tomllib.loads((tables / 'exceptions.toml').read_text(encoding='utf-8')))
    for check in CHECKS:
        for path, line, words in check(tree, rooms, exceptions):
            yield check.__name__, f'{path}:{line}: {words}'


def findings(root):
    return [line for _check, line in findings_by_check(root)]


def main():
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parents[2]
    found = findings(root)
    for line in found:
        print(line)
    print(f'tidy: {len(found)} findings')
    return 1 if found else 0


if __name__ == '__main__':
    sys.exit(main())
