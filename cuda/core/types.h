// Integer types by size, without headers that NVRTC lacks.
#pragma once

using int32 = int;
using int64 = long long;
using int8 = signed char;
using int16 = short;
using uint8 = unsigned char;
using uint16 = unsigned short;
using uint32 = unsigned int;
using uint64 = unsigned long long;
