"""Reads C++ well enough to check it: comments and literals blanked, braces matched."""
import re

RAW = re.compile(r'R"([^()\\\s]{0,16})\((.*?)\)\1"', re.S)
TOKEN = re.compile(
    r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|(?<![0-9a-fA-F])\'(?:\\.|[^\'\\\n])*\'', re.S)


def _blank(match):
    text = match.group(0)
    kept = re.sub(r'[^\n]', ' ', text)
    if text[0] in '"\'' or text.startswith('R"'):  # a literal stays visible as an empty one
        kept = '"' + kept[1:-1] + '"' if len(kept) > 1 else kept
    return kept


def strip(text):
    """The same text, same length and lines, with comments and the insides of literals blanked."""
    return TOKEN.sub(_blank, RAW.sub(_blank, text))


def line_of(text, offset):
    return text.count('\n', 0, offset) + 1


def blocks(code):
    """Yields (header, open offset, close offset, headers of the enclosing blocks) of every {…}."""
    stack, start = [], 0
    for match in re.finditer(r'[{};]', code):
        at = match.start()
        mark = match.group(0)
        if mark == '{':
            stack.append((code[start:at].strip(), at))
        elif mark == '}' and stack:
            header, opened = stack.pop()
            yield header, opened, at, [outer for outer, _ in stack]
        start = at + 1


SCOPE = re.compile(r'^(inline\s+)?namespace\b|^extern\s+"|\b(class|struct|union|enum)\b[^()]*$')


def _is_scope(header):
    header = re.sub(r'(alignas|__attribute__)\s*\(.*?\)+', '', header)
    header = re.sub(r'^\s*(public|private|protected)\s*:', '', header).strip()
    header = re.sub(r'^template\s*<.*?>\s*(?=class|struct|enum|union)', '', header, flags=re.S)
    return bool(SCOPE.search(header))


TABLE_LINE = re.compile(r'switch\s*\(.*\)\s*\{|\}|case .+:|return [^;]*;|case .+: return [^;]*;|')


def _is_value_table(body):
    """A switch that only maps values is a table: its length says nothing."""
    return 'switch' in body and all(
        TABLE_LINE.fullmatch(line.strip()) for line in body.splitlines())


def functions(code):
    """Yields (first line, last line, header) of every function body outside other functions."""
    code = re.sub(r'^[ \t]*#.*?(?<!\\)$', lambda m: ' ' * len(m.group(0)), code, flags=re.M)
    for header, opened, closed, outer in blocks(code):
        if not re.search(r'[()]', header) or _is_scope(header) or header.endswith('='):
            continue
        if header.count('(') > header.count(')'):  # a list handed to a call, not a body
            continue
        if _is_value_table(code[opened + 1:closed]):
            continue
        if all(_is_scope(o) for o in outer):
            begin = code.rfind(header, 0, opened) if header else opened
            yield line_of(code, begin), line_of(code, closed), header


def enum_switches_with_default(code):
    """Yields the line of every `default:` in a switch whose cases are enumerators (`Kind::a`)."""
    found = list(blocks(code))
    for header, opened, closed, _ in found:
        if not re.search(r'\bswitch\s*\([^{]*$', header, re.S):
            continue
        body = code[opened + 1:closed]
        # Nested switches speak for themselves.
        for inner_header, inner_open, inner_close, _ in found:
            if opened < inner_open < closed and re.search(r'\bswitch\s*\(', inner_header):
                begin, end = inner_open - opened - 1, inner_close - opened - 1
                body = body[:begin] + re.sub(r'[^\n]', ' ', body[begin:end]) + body[end:]
        default = re.search(r'\bdefault\s*:(?!:)', body)
        if default and re.search(r'\bcase\s+[\w:]*::\w+\s*:', body):
            yield line_of(code, opened + 1 + default.start())
