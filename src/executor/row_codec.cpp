#include "executor/row_codec.hpp"

#include "pg/server_encoding.hpp"
#include "pg/wire_types.hpp"

extern "C" {
#include "access/transam.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
}

namespace herd::executor {

bool rows_are_portable(::TupleDesc description) {
    for (int i = 0; i < description->natts; ++i) {
        if (!pg::binary_is_portable(TupleDescAttr(description, i)->atttypid)) {
            return false;
        }
    }
    return true;
}

RowReader::RowReader(::TupleDesc description, bool binary)
    : description_(description), binary_(binary) {
    pg::call([&] {
        auto count = static_cast<Size>(description->natts);
        functions_ =
            static_cast<pg::InputFunction*>(::palloc0(sizeof(pg::InputFunction) * (count + 1)));
        for (int i = 0; i < description->natts; ++i) {
            functions_[i] = pg::input_function(TupleDescAttr(description, i)->atttypid, binary);
        }
    });
}

void RowReader::read(const PGresult* result, int row, Datum* values, bool* nulls) const {
    for (int i = 0; i < description_->natts; ++i) {
        const pg::InputFunction& function = functions_[i];
        nulls[i] = ::PQgetisnull(result, row, i) != 0;
        int32 typmod = TupleDescAttr(description_, i)->atttypmod;
        if (nulls[i]) {
            values[i] = Datum{0};
        } else if (binary_) {
            ::StringInfoData bytes;
            bytes.data = ::PQgetvalue(result, row, i);
            bytes.len = ::PQgetlength(result, row, i);
            bytes.maxlen = bytes.len + 1;
            bytes.cursor = 0;
            values[i] = ::ReceiveFunctionCall(function.function, &bytes, function.io_param, typmod);
        } else {
            values[i] = ::InputFunctionCall(function.function, ::PQgetvalue(result, row, i),
                                            function.io_param, typmod);
        }
    }
}

void RowReader::check(const PGresult* result) const {
    if (::PQnfields(result) != description_->natts) {
        throw Error(sqlstate::kInternalError,
                    "a node returned " + std::to_string(::PQnfields(result)) + " columns, not " +
                        std::to_string(description_->natts));
    }
    for (int i = 0; i < description_->natts; ++i) {
        Oid expected = TupleDescAttr(description_, i)->atttypid;
        if (binary_ && ::PQftype(result, i) != expected) {
            throw Error(sqlstate::kInternalError, "a node returned type " +
                                                      std::to_string(::PQftype(result, i)) +
                                                      " in column " + std::to_string(i + 1) +
                                                      ", not " + std::to_string(expected));
        }
    }
}

void ParameterSet::add(Oid type, Datum value, bool isnull) {
    bool binary = false;
    const char* data = nullptr;
    int length = 0;
    pg::ServerEncoding encoding;
    pg::call([&] {
        binary = pg::binary_is_portable(type);
        if (isnull) {
            return;
        }
        ::FmgrInfo* function = pg::output_function(type, binary);
        if (binary) {
            ::bytea* bytes = ::SendFunctionCall(function, value);
            data = VARDATA(bytes);
            length = static_cast<int>(VARSIZE(bytes) - VARHDRSZ);
        } else {
            data = ::OutputFunctionCall(function, value);
            length = static_cast<int>(::strlen(data));
        }
    });
    // The parser of the node takes types that are not built in from the text's own casts.
    types_.push_back(type < FirstNormalObjectId ? type : InvalidOid);
    formats_.push_back(binary ? 1 : 0);
    values_.push_back(data);
    lengths_.push_back(length);
}

void ParameterSet::add_bytes(Oid type, const char* data, int length) {
    types_.push_back(type < FirstNormalObjectId ? type : InvalidOid);
    formats_.push_back(1);
    values_.push_back(length < 0 ? nullptr : data);
    lengths_.push_back(length < 0 ? 0 : length);
}

void ParameterSet::append(const ParameterSet& other) {
    types_.insert(types_.end(), other.types_.begin(), other.types_.end());
    values_.insert(values_.end(), other.values_.begin(), other.values_.end());
    lengths_.insert(lengths_.end(), other.lengths_.begin(), other.lengths_.end());
    formats_.insert(formats_.end(), other.formats_.begin(), other.formats_.end());
}

void ParameterSet::clear() {
    types_.clear();
    values_.clear();
    lengths_.clear();
    formats_.clear();
}

void ParameterSet::reserve(int count) {
    auto places = static_cast<std::size_t>(count);
    types_.reserve(places);
    values_.reserve(places);
    lengths_.reserve(places);
    formats_.reserve(places);
}

remote::Parameters ParameterSet::view() const {
    return {count(), types_.data(), values_.data(), lengths_.data(), formats_.data()};
}

}  // namespace herd::executor
