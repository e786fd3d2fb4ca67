#include "pg/wire_functions.hpp"

#include <cstdint>
#include <unordered_map>

extern "C" {
#include "access/transam.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
}

namespace herd::pg {

namespace {

// Those of built-in types; the key has the format in its last bit.
using Functions = std::unordered_map<std::uint64_t, InputFunction>;

::FmgrInfo* look_up(Oid function, bool for_good) {
    ::MemoryContext memory = for_good ? CacheMemoryContext : CurrentMemoryContext;
    auto* info = static_cast<::FmgrInfo*>(::MemoryContextAllocZero(memory, sizeof(::FmgrInfo)));
    ::fmgr_info_cxt(function, info, memory);
    return info;
}

InputFunction find_output(Oid type, bool binary, bool for_good) {
    Oid function = InvalidOid;
    bool is_varlena = false;
    if (binary) {
        ::getTypeBinaryOutputInfo(type, &function, &is_varlena);
    } else {
        ::getTypeOutputInfo(type, &function, &is_varlena);
    }
    return {look_up(function, for_good), InvalidOid};
}

InputFunction find_input(Oid type, bool binary, bool for_good) {
    Oid function = InvalidOid;
    Oid io_param = InvalidOid;
    if (binary) {
        ::getTypeBinaryInputInfo(type, &function, &io_param);
    } else {
        ::getTypeInputInfo(type, &function, &io_param);
    }
    return {look_up(function, for_good), io_param};
}

template <typename Find>
InputFunction known_or_found(Functions& known, Oid type, bool binary, Find find) {
    if (type >= FirstNormalObjectId) {
        return find(type, binary, false);
    }
    std::uint64_t key = static_cast<std::uint64_t>(type) << 1U | (binary ? 1U : 0U);
    auto entry = known.find(key);
    if (entry != known.end()) {
        return entry->second;
    }
    InputFunction found = find(type, binary, true);
    known.emplace(key, found);
    return found;
}

}  // namespace

::FmgrInfo* output_function(Oid type, bool binary) {
    static auto& known = *new Functions;
    return known_or_found(known, type, binary, find_output).function;
}

InputFunction input_function(Oid type, bool binary) {
    static auto& known = *new Functions;
    return known_or_found(known, type, binary, find_input);
}

}  // namespace herd::pg
