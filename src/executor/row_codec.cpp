#include "executor/row_codec.hpp"

#include "pg/server_encoding.hpp"
#include "pg/wire_types.hpp"

extern "C" {
#include "access/transam.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
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
        functions_ = static_cast<::FmgrInfo*>(::palloc0(sizeof(::FmgrInfo) * (count + 1)));
        io_params_ = static_cast<Oid*>(::palloc0(sizeof(Oid) * (count + 1)));
        for (int i = 0; i < description->natts; ++i) {
            Oid function = InvalidOid;
            if (binary) {
                ::getTypeBinaryInputInfo(TupleDescAttr(description, i)->atttypid, &function,
                                         &io_params_[i]);
            } else {
                ::getTypeInputInfo(TupleDescAttr(description, i)->atttypid, &function,
                                   &io_params_[i]);
            }
            ::fmgr_info(function, &functions_[i]);
        }
    });
}

void RowReader::read(const PGresult* result, int row, Datum* values, bool* nulls) const {
    for (int i = 0; i < description_->natts; ++i) {
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
            values[i] = ::ReceiveFunctionCall(&functions_[i], &bytes, io_params_[i], typmod);
        } else {
            values[i] = ::InputFunctionCall(&functions_[i], ::PQgetvalue(result, row, i),
                                            io_params_[i], typmod);
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
    bool binary = pg::call([&] { return pg::binary_is_portable(type); });
    // The parser of the node takes types that are not built in from the text's own casts.
    types_.push_back(type < FirstNormalObjectId ? type : InvalidOid);
    formats_.push_back(binary ? 1 : 0);
    if (isnull) {
        values_.push_back(nullptr);
        lengths_.push_back(0);
        return;
    }
    const char* data = nullptr;
    int length = 0;
    pg::ServerEncoding encoding;
    pg::call([&] {
        Oid function = InvalidOid;
        bool is_varlena = false;
        if (binary) {
            ::getTypeBinaryOutputInfo(type, &function, &is_varlena);
            ::bytea* bytes = ::OidSendFunctionCall(function, value);
            data = VARDATA(bytes);
            length = static_cast<int>(VARSIZE(bytes) - VARHDRSZ);
        } else {
            ::getTypeOutputInfo(type, &function, &is_varlena);
            char* text = ::OidOutputFunctionCall(function, value);
            data = text;
            length = static_cast<int>(::strlen(text));
        }
    });
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

remote::Parameters ParameterSet::view() const {
    return {count(), types_.data(), values_.data(), lengths_.data(), formats_.data()};
}

}  // namespace herd::executor
