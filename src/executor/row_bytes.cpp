#include "executor/row_bytes.hpp"

#include <cstring>

extern "C" {
#include "port/pg_bswap.h"
#include "utils/lsyscache.h"
}

namespace herd::executor {

namespace {

constexpr char kHeader[] = "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0";
constexpr std::size_t kHeaderSize = 19;  // with flags and the length of what may follow
constexpr std::size_t kCountSize = sizeof(std::uint16_t);
constexpr std::size_t kLengthSize = sizeof(std::uint32_t);

void append_count(std::string& out, int count) {
    std::uint16_t bits = pg_hton16(static_cast<std::uint16_t>(count));
    out.append(reinterpret_cast<const char*>(&bits), sizeof(bits));
}

void append_length(std::string& out, std::int32_t length) {
    std::uint32_t bits = pg_hton32(static_cast<std::uint32_t>(length));
    out.append(reinterpret_cast<const char*>(&bits), sizeof(bits));
}

std::int32_t read_length(const char* at) {
    std::uint32_t bits = 0;
    std::memcpy(&bits, at, sizeof(bits));
    return static_cast<std::int32_t>(pg_ntoh32(bits));
}

}  // namespace

std::string_view row_bytes_header() {
    return {kHeader, kHeaderSize};
}

std::string_view row_bytes_trailer() {
    return {"\377\377", kCountSize};
}

RowWriter::RowWriter(const ::List* columns, const ::List* types) : columns_(columns) {
    pg::call([&] {
        auto count = static_cast<Size>(::list_length(types)) + 1;
        functions_ = static_cast<::FmgrInfo*>(::palloc0(sizeof(::FmgrInfo) * count));
        values_ = static_cast<::bytea**>(::palloc0(sizeof(::bytea*) * count));
        for (int i = 0; i < ::list_length(types); ++i) {
            Oid function = InvalidOid;
            bool is_varlena = false;
            ::getTypeBinaryOutputInfo(list_nth_oid(types, i), &function, &is_varlena);
            ::fmgr_info(function, &functions_[i]);
        }
    });
}

void RowWriter::append(std::string& out, const ::TupleTableSlot* row) {
    int count = ::list_length(columns_);
    for (int i = 0; i < count; ++i) {
        int column = list_nth_int(columns_, i) - 1;
        values_[i] = row->tts_isnull[column]
                         ? nullptr
                         : ::SendFunctionCall(&functions_[i], row->tts_values[column]);
    }
    append_count(out, count);
    for (int i = 0; i < count; ++i) {
        if (values_[i] == nullptr) {
            append_length(out, -1);
            continue;
        }
        std::size_t size = VARSIZE(values_[i]) - VARHDRSZ;
        append_length(out, static_cast<std::int32_t>(size));
        out.append(VARDATA(values_[i]), size);
    }
}

void add_parameters(ParameterSet& parameters, std::string_view rows, const ::List* types) {
    const char* at = rows.data();
    const char* end = at + rows.size();
    while (at < end) {
        at += kCountSize;
        for (int i = 0; i < ::list_length(types); ++i) {
            std::int32_t length = read_length(at);
            at += kLengthSize;
            parameters.add_bytes(list_nth_oid(types, i), at, length);
            at += length > 0 ? length : 0;
        }
    }
}

}  // namespace herd::executor
