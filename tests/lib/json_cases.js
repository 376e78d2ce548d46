/* JSON texts for a strict reader, in the manner of the well-known test suites:
 * each has a name, its bytes, and whether it is JSON by this project's rules
 * (docs/WIRE.md). Those are RFC 8259, and one answer for all that it leaves
 * open: UTF-8 only and no byte order mark, no duplicate names, no lone
 * surrogates, no NUL, numbers that are finite as a double, 64 levels. */

const DEPTH_MAX = 64; /* nested arrays and objects of one text */

const text = (s) => Buffer.from(s, 'utf8');
const bytes = (...parts) => Buffer.concat(parts.map((p) =>
    typeof p === 'string' ? text(p) : Buffer.from(p)));
const nested = (n, open = '[', close = ']', core = '') =>
    open.repeat(n) + core + close.repeat(n);

/* A value may stand alone or as the value of a member; `levels` is how many
 * more a wrapper may add without a change of the verdict. */
const accepted = {
    numbers: ['0', '-0', '1', '-1', '9', '10', '123', '1234567890', '0.5',
        '-0.5', '0.0', '1.0', '3.141592653589793', '1e1', '1E1', '1e+1',
        '1e-1', '1E+01', '1e00', '0e0', '0e+5', '-0e-0', '1.5e10', '1.5E-10',
        '1e308', '1.7976931348623157e308', '2.2250738585072014e-308',
        '5e-324', '1e-400', '-1e-400', '123456789012345678901234567890',
        '0.1234567890123456789012345678901234567890', '-9007199254740993',
        '18446744073709551616', '1000000000000000000000e-20',
        `0.${'0'.repeat(200)}1`, `1${'0'.repeat(300)}`],
    strings: ['""', '" "', '"a"', '"\\""', '"\\\\"', '"\\/"', '"/"', '"\\b"',
        '"\\f"', '"\\n"', '"\\r"', '"\\t"', '"\\u0001"', '"\\u001f"',
        '"\\u0020"', '"\\u0041"', '"\\u007f"', '"\\u0080"', '"\\u00e9"',
        '"\\u00E9"', '"\\u20ac"', '"\\u20AC"', '"\\uffff"', '"\\ufffe"',
        '"\\ufeff"', '"\\ufdd0"', '"\\ud83d\\ude00"', '"\\uD83D\\uDE00"',
        '"\\udbff\\udfff"', '"\\ud800\\udc00"', '"\\ud7ff"', '"\\ue000"',
        '"a\\ud83d\\ude00b"', '"\\ud83d\\ude00\\ud83d\\ude00"', '"\\u2028"',
        '"\\u2029"', '"\u2028\u2029"', '"\u007f"', '"\u0080"', '"\u07ff"',
        '"\u0800"', '"\ud7ff"', '"\ue000"', '"\uffff"', '"\u{10000}"',
        '"\u{10ffff}"', '"\ufeff"', '"é"', '"中文"', '"😀"', '"//comment"',
        '"/* comment */"', '"\'"', '"[{}]"', '"\\\\u0000"', '"\\\\n"',
        `"${'x'.repeat(10000)}"`, `"${'\\n'.repeat(5000)}"`,
        `"${'é'.repeat(5000)}"`],
    literals: ['true', 'false', 'null'],
    arrays: ['[]', '[ ]', '[\n]', '[1]', '[1,2]', '[ 1 , 2 ]', '[[]]',
        '[[],[]]', '[null]', '[true,false,null]', '["a","b"]', '[{}]',
        '[1,"a",{},[],null]', '[""]', '[[[[[[[[[[]]]]]]]]]]', '[\t1\r\n]',
        `[${Array(2000).fill('0').join(',')}]`],
    objects: ['{}', '{ }', '{"a":1}', '{"a":1,"b":2}', '{ "a" : 1 }',
        '{"":0}', '{"a":{}}', '{"a":[]}', '{"a":{"a":{"a":1}}}',
        '{"a":1,"A":2}', '{"a\\u0062":1,"b":2}', '{"é":1,"e":2}',
        '{"a":null}', '{"x":[{"id":"y"},{"id":"y"}]}', '{"\\n":1}',
        '{\n"a"\n:\n1\n}', '{"a":{"b":1},"c":{"b":1}}', '{"__proto__":1}'],
};

const rejected = {
    numbers: ['01', '-01', '00', '1.', '.5', '-.5', '1.e1', '.', '-', '+1',
        '++1', '--1', '-+1', '1e', '1e+', '1E-', '1e1.5', '1ee1', '1eE1',
        '0x1', '0xff', '0o7', '0b1', '1_000', '1,000.0', '1 000', 'Infinity',
        '-Infinity', 'inf', 'NaN', '-NaN', 'nan', '1e999', '-1e999', '1e309',
        '1.8e308', '1f', '1.0f', '1L', '\uff11', '٣', '1.2.3', '0e', '-x',
        '1a', '2.e3', '2.e-3', '0.e1', '0.3e', '9.e+', '1.0e-', '-2.',
        `1${'0'.repeat(400)}`, '1\u00a0', '+Infinity', '1/2', '0e+-1'],
    strings: ['"', '"a', 'a"', '\'a\'', '`a`', '"\\"', '"\\a"', '"\\v"',
        '"\\0"', '"\\x41"', '"\\\'"', '"\\U0041"', '"\\u"', '"\\u0"',
        '"\\u00"', '"\\u004"', '"\\u004g"', '"\\u{41}"', '"\\u 041"',
        '"\\u00\\u0041"', '"\\é"', '"\\ "', '"\\\n"', '"a\nb"', '"a\tb"',
        '"a\rb"', '"\u0001"', '"\u001f"', '"\u0000"', '"\\u0000"',
        '"a\\u0000b"', '"\\ud800"', '"\\udbff"', '"\\udc00"', '"\\udfff"',
        '"\\ud83d"', '"\\ude00\\ud83d"', '"\\ud83d\\ud83d"', '"\\ud83dx"',
        '"\\ud83d\\n"', '"\\ud83d\\u0041"', '"\\ud83d\\"', '"\\ud83d\\u"',
        '"\\ud83d\\ude"', '"\\ud83d\\udeg0"', '"\\uD83D \\uDE00"',
        '"\\ud800\\ud800\\udc00"', '\\u0022a\\u0022', '"a""b"', '"a" "b"',
        '“a”'],
    literals: ['tru', 'truth', 'True', 'TRUE', 'fals', 'FALSE', 'nul', 'nil',
        'None', 'NULL', 'Null', 'undefined', 'true1', 'nulll', 'tr\\u0075e',
        'true false', 'yes', 'a', '*', '&', '<null>', '\u{1f600}', '$',
        'new Date()', 'void 0', '.true', '[object Object]', 'd'],
    arrays: ['[', ']', '[1', '1]', '[1,', '[,1]', '[,]', '[1,]', '[1,,2]',
        '[1 2]', '[1;2]', '[1}', '[[]', '[]]', '[1],', '["a"', '["a', '["a",',
        '[1,2', '[,', '[1\n', '["x"]]', '[:1]', '["a":1]', '[a]', '[1,]]',
        '(1)', '[*]', '[""', '["",]', '[1,\n1\n,1', '[{}', '[1:2]', '[\f1]',
        '[\v1]', '[\u00a01]', '[\u20281]', '[\u200b]', '[1/**/]', '[1//]',
        '[1]#', '[1]x', '[][]', '[] []', '[]true', '[\\n1]', '[\u0000]',
        '[-]', '[-,1]', '[tru]', '[1]\u0000'],
    objects: ['{', '}', '{"a"', '{"a":', '{"a":1', '{"a":1,', '{"a":1,}',
        '{,"a":1}', '{"a":1,,"b":2}', '{"a" 1}', '{"a",1}', '{"a"::1}',
        '{"a":1 "b":2}', '{"a":1;"b":2}', '{a:1}', '{\'a\':1}', '{1:1}',
        '{null:1}', '{true:1}', '{[]:1}', '{"a":}', '{:1}', '{"a"}', '{"a":1]',
        '{"a":1}}', '{{}}', '{"a":1}{"a":1}', '{"a":1} x', '{"a":1},',
        '{"a":1}//x', '{"a":1}/**/', '/**/{"a":1}', '{/**/}', '{"a":/*x*/1}',
        '{#x\n}', '{"a":1,"a":1}', '{"a":1,"a":2}', '{"a":1,"\\u0061":2}',
        '{"é":1,"\\u00e9":2}', '{"b":{"a":1,"a":1}}', '[{"a":1,"a":1}]',
        '{"":1,"":2}', '{"a":1,"b":2,"a":3}', '{"a"=1}', '{"a":1=>2}',
        '{"\\u0000":1}', '{"\\ud800":1}', '{"a\nb":1}', '{...x}', '{"a":\f1}',
        '{"😀":1,"\\ud83d\\ude00":2}', '{"a":b}', '<a/>', '{"a":"b}',
        '{"a:1}', '{"a":\'b\'}', '{\u00a0"a":1}', '{"a":1,\n\n}'],
};

/* Ill-formed UTF-8, each put between quotes. */
const badUtf8 = {
    'a lone continuation': [0x80], 'the last continuation': [0xbf],
    'two continuations': [0x80, 0xbf], 'latin-1 e acute': [0xe9],
    'ff': [0xff], 'fe': [0xfe], 'f8': [0xf8, 0x88, 0x80, 0x80, 0x80],
    'fc': [0xfc, 0x84, 0x80, 0x80, 0x80, 0x80],
    'overlong slash in 2': [0xc0, 0xaf], 'overlong in 2': [0xc1, 0xbf],
    'overlong slash in 3': [0xe0, 0x80, 0xaf],
    'overlong in 3': [0xe0, 0x9f, 0xbf],
    'overlong slash in 4': [0xf0, 0x80, 0x80, 0xaf],
    'overlong in 4': [0xf0, 0x8f, 0xbf, 0xbf], 'overlong NUL': [0xc0, 0x80],
    'the first surrogate': [0xed, 0xa0, 0x80],
    'the last surrogate': [0xed, 0xbf, 0xbf],
    'a CESU-8 pair': [0xed, 0xa0, 0xbd, 0xed, 0xb8, 0x80],
    'past U+10FFFF': [0xf4, 0x90, 0x80, 0x80], 'f5': [0xf5, 0x80, 0x80, 0x80],
    'cut after c3': [0xc3], 'cut after e2': [0xe2], 'cut after e2 82': [0xe2,
        0x82], 'cut after f0': [0xf0], 'cut after f0 9f': [0xf0, 0x9f],
    'cut after f0 9f 98': [0xf0, 0x9f, 0x98],
    'cut and on': [0xe2, 0x82, 0x41], 'a bad second byte': [0xc3, 0x28],
    'a bad third byte': [0xe2, 0x82, 0x28],
    'a bad fourth byte': [0xf0, 0x9f, 0x98, 0x28],
};

function* simple(group, valid) {
    for (const [kind, list] of Object.entries(group))
        for (const s of list)
            yield { name: `${kind}: ${s.slice(0, 40)}`, bytes: text(s), valid };
}

function* special() {
    const bad = (name, b) => ({ name, bytes: b, valid: false });
    for (const [name, raw] of Object.entries(badUtf8))
        yield bad(`UTF-8: ${name}`, bytes('"', raw, '"'));
    yield bad('UTF-8 in a name', bytes('{"', [0xff], '":1}'));
    yield bad('a byte order mark', bytes([0xef, 0xbb, 0xbf], '{}'));
    yield bad('half a byte order mark', bytes([0xef, 0xbb], '{}'));
    yield bad('UTF-16LE', Buffer.from('["é"]', 'utf16le'));
    yield bad('UTF-16LE with a mark', Buffer.from('\ufeff["é"]', 'utf16le'));
    yield bad('UTF-16BE', Buffer.from('["é"]', 'utf16le').swap16());
    yield bad('nothing', bytes(''));
    yield bad('blanks alone', bytes(' \t\r\n'));
    yield bad('a NUL', bytes([0]));
    yield bad('a NUL behind', bytes('{}', [0]));
    yield bad('a form feed before', bytes('\f{}'));
    yield bad('a no-break space before', bytes('\u00a0{}'));
    yield bad('U+2060 before', bytes('\u2060{}'));
    for (const s of ['{]', '[}', '[{]}', '{[}]'])
        yield bad(`unbalanced ${s}`, bytes(s));
    for (const [open, close] of [['[', ']'], ['{"a":', '}']]) {
        const core = open === '[' ? '' : '1';
        yield bad(`${open} a thousand deep`,
            bytes(nested(1000, open, close, core)));
        yield bad(`${open} a hundred thousand times`,
            bytes(open.repeat(100000)));
        yield bad(`${open} one too deep`,
            bytes(nested(DEPTH_MAX + 1, open, close, core)));
        /* One level is left for the object that a case is put into. */
        yield { name: `${open} just not too deep`, valid: true,
            bytes: bytes(nested(DEPTH_MAX - 1, open, close, core)) };
    }
}

/* All cases: {name, bytes, valid}. */
export function jsonCases() {
    return [...simple(accepted, true), ...simple(rejected, false),
        ...special()];
}
