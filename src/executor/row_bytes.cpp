#include "executor/row_bytes.hpp"

#include <cstring>
#include <utility>

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

void append_value(std::string& out, std::string_view value) {
    append_length(out, static_cast<std::int32_t>(value.size()));
    out.append(value);
}

std::vector<routing::PackedField> fields_of(const ::List* columns) {
    std::vector<routing::PackedField> fields;
    for (int i = 0; i < ::list_length(columns); ++i) {
        fields.push_back({list_nth_int(columns, i), false, {}});
    }
    return fields;
}

std::vector<Oid> vector_of(const ::List* types) {
    std::vector<Oid> all;
    for (int i = 0; i < ::list_length(types); ++i) {
        all.push_back(list_nth_oid(types, i));
    }
    return all;
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

RowWriter::RowWriter(std::vector<routing::PackedField> fields, const std::vector<Oid>& types)
    : fields_(std::move(fields)) {
    pg::call([&] {
        Size count = fields_.size() + 1;
        functions_ = static_cast<::FmgrInfo*>(::palloc0(sizeof(::FmgrInfo) * count));
        values_ = static_cast<::bytea**>(::palloc0(sizeof(::bytea*) * count));
        for (std::size_t i = 0; i < fields_.size(); ++i) {
            Oid function = InvalidOid;
            bool is_varlena = false;
            if (fields_[i].column > 0) {
                ::getTypeBinaryOutputInfo(types[i], &function, &is_varlena);
                ::fmgr_info(function, &functions_[i]);
            }
        }
    });
}

RowWriter::RowWriter(const ::List* columns, const ::List* types)
    : RowWriter(fields_of(columns), vector_of(types)) {}

void RowWriter::append(std::string& out, const ::TupleTableSlot* row) {
    for (std::size_t i = 0; i < fields_.size(); ++i) {
        int column = fields_[i].column - 1;
        values_[i] = column < 0 || row->tts_isnull[column]
                         ? nullptr
                         : ::SendFunctionCall(&functions_[i], row->tts_values[column]);
    }
    append_count(out, static_cast<int>(fields_.size()));
    for (std::size_t i = 0; i < fields_.size(); ++i) {
        if (values_[i] != nullptr) {
            append_value(out, {VARDATA(values_[i]), VARSIZE(values_[i]) - VARHDRSZ});
        } else if (fields_[i].has_value) {
            append_value(out, fields_[i].value);
        } else {
            append_length(out, -1);
        }
    }
}

RowBytesReader::RowBytesReader(const ::List* columns, ::TupleDesc rows)
    : columns_(columns), description_(rows) {
    pg::call([&] {
        auto count = static_cast<Size>(::list_length(columns)) + 1;
        functions_ = static_cast<::FmgrInfo*>(::palloc0(sizeof(::FmgrInfo) * count));
        io_params_ = static_cast<Oid*>(::palloc0(sizeof(Oid) * count));
        for (int i = 0; i < ::list_length(columns); ++i) {
            Oid function = InvalidOid;
            Oid type = TupleDescAttr(rows, list_nth_int(columns, i) - 1)->atttypid;
            ::getTypeBinaryInputInfo(type, &function, &io_params_[i]);
            ::fmgr_info(function, &functions_[i]);
        }
    });
}

bool RowBytesReader::next(::TupleTableSlot* slot) {
    ::ExecClearTuple(slot);
    if (left_.empty()) {
        return false;
    }
    for (int i = 0; i < description_->natts; ++i) {
        slot->tts_values[i] = Datum{0};
        slot->tts_isnull[i] = true;
    }
    left_.remove_prefix(kCountSize);
    for (int i = 0; i < ::list_length(columns_); ++i) {
        std::int32_t length = read_length(left_.data());
        left_.remove_prefix(kLengthSize);
        if (length < 0) {
            continue;
        }
        // Receive functions expect a zero behind the bytes.
        ::StringInfoData bytes;
        ::initStringInfo(&bytes);
        ::appendBinaryStringInfo(&bytes, left_.data(), length);
        left_.remove_prefix(static_cast<std::size_t>(length));
        int column = list_nth_int(columns_, i) - 1;
        slot->tts_isnull[column] = false;
        slot->tts_values[column] = ::ReceiveFunctionCall(
            &functions_[i], &bytes, io_params_[i], TupleDescAttr(description_, column)->atttypmod);
    }
    ::ExecStoreVirtualTuple(slot);
    return true;
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
