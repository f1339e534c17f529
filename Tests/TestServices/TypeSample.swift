/// Values of every built-in type, extremes among them, as SQL expressions.
public struct TypeSample: Sendable, CustomStringConvertible {
    /// The type as a column declares it.
    public var type: String
    /// Expressions of that type.
    public var values: [String]

    init(_ type: String, _ values: String...) {
        self.type = type
        self.values = values
    }

    /// The type.
    public var description: String { type }

    /// All of them.
    public static let all: [TypeSample] = [
        TypeSample("boolean", "true", "false"),
        TypeSample("smallint", "0", "-32768", "32767"),
        TypeSample("integer", "0", "1", "-2147483648", "2147483647"),
        TypeSample("bigint", "0", "-9223372036854775808", "9223372036854775807"),
        TypeSample("oid", "0", "4294967295"),
        TypeSample("xid", "'3'", "'4294967295'"),
        TypeSample("xid8", "'0'", "'9223372036854775807'", "'18446744073709551615'"),
        TypeSample(
            "real",
            "0",
            "'-0'",
            "0.1",
            "1.5",
            "16777216",
            "3.4028235e38",
            "1e-45",
            "1.17549435e-38",
            "'NaN'",
            "'Infinity'",
            "'-Infinity'",
            "123456.79",
            "8388608.5"
        ),
        TypeSample(
            "double precision",
            "0",
            "'-0'",
            "0.1",
            "1e308",
            "5e-324",
            "-1.7976931348623157e308",
            "9007199254740993",
            "'NaN'",
            "'Infinity'",
            "'-Infinity'",
            "123456789.123456789"
        ),
        TypeSample(
            "numeric",
            "0",
            "0.00",
            "1",
            "-1",
            "10000",
            "100000000",
            "0.0001",
            "0.00001",
            "123456789012345678",
            "-12345678901234567.8",
            "1234567890123456789",
            "0.000000000000000001",
            "'NaN'",
            "'Infinity'",
            "'-Infinity'",
            "1e131071",
            "('0.' || repeat('0', 16382) || '1')::numeric",
            "repeat('9', 400)::numeric",
            "99999999.99990000",
            "1000000000000.50"
        ),
        TypeSample("numeric(38,9)", "99999999999999999999999999999.999999999", "0.000000001", "-7"),
        TypeSample("numeric(5,2)", "-999.99", "0.01", "100"),
        TypeSample("numeric(3,-2)", "12300", "-99900"),
        TypeSample("numeric(2,4)", "0.0012"),
        TypeSample(
            "money",
            "'0'",
            "'-$92,233,720,368,547,758.08'",
            "'92233720368547758.07'",
            "'1.5'"
        ),
        TypeSample("text", "''", "'plain'", #"E'tab\tline\nback\\slash\rquote"'"#, "'Zoë 𝄞 漢字'"),
        TypeSample("character varying", "'x'"),
        TypeSample("character varying(20)", "'twenty characters ok'"),
        TypeSample("character(5)", "'ab'", "'abcde'"),
        TypeSample("name", "'pg_class'"),
        TypeSample(#""char""#, "'a'", "''"),
        TypeSample("bytea", #"'\x'"#, #"'\x00ff10'"#, "'abc'"),
        TypeSample(
            "date",
            "'2026-11-04'",
            "'0044-03-15 BC'",
            "'0001-01-01'",
            "'4713-01-01 BC'",
            "'5874897-12-31'",
            "'12026-02-28'",
            "'infinity'",
            "'-infinity'",
            "'2000-02-29'"
        ),
        TypeSample("time", "'00:00'", "'24:00:00'", "'23:59:59.999999'", "'12:30:01.5'"),
        TypeSample("time(3)", "'12:30:01.123'"),
        TypeSample("time with time zone", "'12:30:01.5+02'", "'24:00:00-15:59'", "'00:00+05:30'"),
        TypeSample(
            "timestamp",
            "'2026-11-04 01:25:34.123456'",
            "'0044-03-15 10:00 BC'",
            "'4713-01-01 00:00:00 BC'",
            "'294276-12-31 23:59:59.999999'",
            "'infinity'",
            "'-infinity'",
            "'1969-12-31 23:59:59.999999'",
            "'2026-11-04 24:00:00'"
        ),
        TypeSample("timestamp(0)", "'2026-11-04 01:25:34'"),
        TypeSample(
            "timestamptz",
            "'2026-11-04 01:25:34.123456+02'",
            "'0044-03-15 10:00:00+00 BC'",
            "'4713-01-02 00:00:00+00 BC'",
            "'294276-12-31 23:59:59.999999+00'",
            "'infinity'",
            "'-infinity'",
            "'12026-01-01 00:00:00.5+00'"
        ),
        TypeSample("timestamptz(3)", "'2026-11-04 01:25:34.123+00'"),
        TypeSample(
            "interval",
            "'0'",
            "'1 year 2 mons -3 days 04:05:06.789'",
            "'-178000000 years'",
            "'1 microsecond'",
            "'-1 day 1 hour'"
        ),
        TypeSample("interval day to second(2)", "'3 days 04:05:06.78'"),
        TypeSample("uuid", "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'", "repeat('0', 32)::uuid"),
        TypeSample(
            "json",
            #"'{"b": [1, 2.50, null],  "a": "x"}'"#,
            "'null'",
            #"'"null"'"#,
            #"'"\"null\""'"#,
            "'12.50'",
            "'1e400'",
            "'true'",
            "'[]'",
            #"'"text"'"#
        ),
        TypeSample(
            "jsonb",
            #"'{"b": [1, 2.50, null], "a": "é"}'"#,
            "'null'",
            #"'"null"'"#,
            #"'"\"\"null\"\""'"#,
            "'-1.0'",
            "'false'",
            "'{}'"
        ),
        TypeSample("xml", "'<a b=\"c\">d</a>'", "'just text'"),
        TypeSample("bit(3)", "B'101'"),
        TypeSample("bit varying", "B''", "B'1010101'"),
        TypeSample("bit varying(5)", "B'10101'"),
        TypeSample("inet", "'192.168.0.1'", "'10.0.0.0/8'", "'::1'", "'2001:db8::/32'"),
        TypeSample("cidr", "'10.0.0.0/8'", "'2001:db8::/32'"),
        TypeSample("macaddr", "'08:00:2b:01:02:03'"),
        TypeSample("macaddr8", "'08:00:2b:01:02:03:04:05'"),
        TypeSample("point", "'(1.5,-2)'", "'(Infinity,NaN)'"),
        TypeSample("line", "'{1,-1,0.1}'"),
        TypeSample("lseg", "'[(0,0),(1,1)]'"),
        TypeSample("box", "'(2,2),(0,0)'"),
        TypeSample("path", "'[(0,0),(1,1),(2,0)]'", "'((0,0),(1,1))'"),
        TypeSample("polygon", "'((0,0),(1,1),(2,0))'"),
        TypeSample("circle", "'<(1,2),3.5>'"),
        TypeSample("tsvector", "'a:1A fat:2,4B cat'::tsvector", "''::tsvector"),
        TypeSample("tsquery", "'fat & (rat | !cat:*A)'::tsquery"),
        TypeSample("pg_lsn", "'16/B374D848'", "'0/0'"),
        TypeSample("regclass", "'pg_class'::regclass"),
        TypeSample("regtype", "'integer'::regtype"),
        TypeSample("tid", "'(1,2)'"),
        TypeSample("int4range", "'[1,5)'", "'empty'", "'(,)'", "'[3,]'"),
        TypeSample("numrange", "'(0.5,1.50]'"),
        TypeSample("tstzrange", "'[2026-01-01 00:00+00,infinity)'"),
        TypeSample("daterange", "'[2026-01-01,2026-02-01)'"),
        TypeSample("int8multirange", "'{[1,3),[5,)}'", "'{}'"),
        TypeSample(
            "integer[]",
            "'{}'",
            "'{1,NULL,-3}'",
            "'{{1,2},{3,NULL}}'",
            "'[0:1]={7,8}'",
            "'{{{1}},{{2}}}'"
        ),
        TypeSample(
            "text[]",
            "'{}'",
            #"ARRAY['a', NULL, 'NULL', '', ' x ', 'q"b\', E'tab\t', '{,}', 'ü']"#
        ),
        TypeSample("boolean[]", "'{t,f,NULL}'"),
        TypeSample("numeric(10,2)[]", "'{1.50,NaN,-0.01}'"),
        TypeSample("double precision[]", "'{1e300,Infinity,-0}'"),
        TypeSample("timestamptz[]", "'{2026-11-04 01:25:34+00,infinity}'"),
        TypeSample("bytea[]", #"ARRAY['\x00ff'::bytea, '\x']"#),
        TypeSample("jsonb[]", #"ARRAY['[1, 2]', '{"a": null}', 'null', '"x"']::jsonb[]"#),
        TypeSample("uuid[]", "ARRAY['a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11']::uuid[]"),
        TypeSample("box[]", "'{(2,2),(0,0);(1,1),(0,0)}'"),
        TypeSample("inet[]", "'{10.0.0.0/8,::1}'"),
        TypeSample("int4range[]", #"'{"[1,5)",empty}'"#),
        TypeSample("mood", "'sad'", "'very happy'"),
        TypeSample("mood[]", "'{sad,\"very happy\"}'"),
        TypeSample("price", "12.50", "0"),
        TypeSample("price[]", "'{1.25,NULL}'"),
        TypeSample("pair", "ROW(1, 'a,\"b')::pair", "ROW(NULL, NULL)::pair"),
        TypeSample("pair[]", "ARRAY[ROW(1, 'x y')::pair]"),
        TypeSample("hstore", #"'a=>1, "b c"=>NULL'"#, "''"),
        TypeSample("citext", "'MiXed'"),
    ]

    /// What the types that are not built in need.
    public static let preparation = """
        CREATE EXTENSION hstore; CREATE EXTENSION citext;
        CREATE TYPE mood AS ENUM ('sad', 'very happy');
        CREATE DOMAIN price AS numeric(8,2) CHECK (VALUE >= 0);
        CREATE TYPE pair AS (n integer, t text);
        """
}
