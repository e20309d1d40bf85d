"""The functions of jq by where they are evaluated: here, in the worker, or nowhere."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

_OUTSIDE: Final = "an expression cannot see the outside; pass the value in as an input"
_STREAM: Final = "an expression has one input, its dot"
_STOP: Final = "use `error` to fail"

REFUSED: Final[Mapping[str, str]] = MappingProxyType(
    {
        "env": _OUTSIDE,
        "get_search_list": _OUTSIDE,
        "input_filename": _OUTSIDE,
        "modulemeta": _OUTSIDE,
        "get_jq_origin": _OUTSIDE,
        "get_prog_origin": _OUTSIDE,
        "input": _STREAM,
        "inputs": _STREAM,
        "input_line_number": _STREAM,
        "halt": _STOP,
        "halt_error": _STOP,
        "debug": "write to the log with a task instead",
        "stderr": "write to the log with a task instead",
    }
)

# Name and number of arguments of what libjq 1.8 defines beyond the local functions.
_FOREIGN: Final = """
    IN/1 IN/2 INDEX/1 INDEX/2 JOIN/2 JOIN/3 JOIN/4 acos/0 acosh/0 asin/0 asinh/0 atan/0 atan2/2
    atanh/0 bsearch/1 builtins/0 capture/1 capture/2 cbrt/0 combinations/0 combinations/1 copysign/2
    cos/0 cosh/0 del/1 delpaths/1 drem/2 erf/0 erfc/0 exp/0 exp10/0 exp2/0 explode/0 expm1/0 fabs/0
    fdim/2 finites/0 fma/3 fmax/2 fmin/2 fmod/2 format/1 frexp/0 fromdate/0 fromdateiso8601/0
    fromstream/1 gamma/0 getpath/1 gmtime/0 gsub/2 gsub/3 have_decnum/0 have_literal_numbers/0
    hypot/2 implode/0 indices/1 infinite/0 isfinite/0 isinfinite/0 isnan/0 isnormal/0 j0/0 j1/0 jn/2
    ldexp/2 lgamma/0 lgamma_r/0 limit/2 localtime/0 log/0 log10/0 log1p/0 log2/0 logb/0 map_values/1
    match/1 match/2 mktime/0 modf/0 nan/0 nearbyint/0 nextafter/2 nexttoward/2 normals/0 nth/1 nth/2
    path/1 paths/0 paths/1 pick/1 pow/2 range/3 recurse/0 recurse/1 recurse/2 remainder/2 repeat/1
    rindex/1 rint/0 scalb/2 scalbln/2 scan/1 scan/2 setpath/2 significand/0 sin/0 sinh/0 skip/2
    split/2 splits/1 splits/2 sqrt/0 strflocaltime/1 strftime/1 strptime/1 sub/2 sub/3 tan/0 tanh/0
    test/1 test/2 tgamma/0 toboolean/0 todate/0 todateiso8601/0 tostream/0 transpose/0 trunc/0
    truncate_stream/1 until/2 walk/1 while/2 y0/0 y1/0 yn/2
"""

# And what `functions` defines, besides the constants and `now`.
_LOCAL: Final = """
    abs/0 add/0 add/1 all/0 all/1 all/2 any/0 any/1 any/2 arrays/0 ascii_downcase/0 ascii_upcase/0
    booleans/0 ceil/0 contains/1 empty/0 endswith/1 error/0 error/1 first/0 first/1 flatten/0
    flatten/1 floor/0 from_entries/0 fromjson/0 group_by/1 has/1 in/1 index/1 inside/1 isempty/1
    iterables/0 join/1 keys/0 keys_unsorted/0 last/0 last/1 length/0 ltrimstr/1 map/1 max/0 max_by/1
    min/0 min_by/1 not/0 nulls/0 numbers/0 objects/0 range/1 range/2 reverse/0 round/0 rtrimstr/1
    scalars/0 select/1 sort/0 sort_by/1 split/1 startswith/1 strings/0 to_entries/0 tojson/0
    tonumber/0 tostring/0 trim/0 trimstr/1 type/0 unique/0 unique_by/1 utf8bytelength/0 ltrim/0
    rtrim/0 values/0 with_entries/1
"""

FOREIGN: Final = frozenset(_FOREIGN.split())
LOCAL: Final = frozenset(_LOCAL.split())

FORMATS: Final = frozenset({"@text", "@json", "@csv", "@tsv", "@html", "@uri", "@sh", "@base64"})
FOREIGN_FORMATS: Final = frozenset({"@base64d", "@base32", "@base32d", "@urid"})
