// The result of an SQL function that returns a set of records, row by row from C++ values.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "pg/guard.hpp"

extern "C" {
#include "funcapi.h"
#include "utils/builtins.h"
}

namespace herd::api {

class RecordSet {
public:
    explicit RecordSet(::FunctionCallInfo fcinfo) {
        pg::call([&] { ::InitMaterializedSRF(fcinfo, 0); });
        result_ = reinterpret_cast<::ReturnSetInfo*>(fcinfo->resultinfo);
    }
    // One text per column, read by the column type's input function.
    void add(const std::vector<std::optional<std::string>>& row) {
        std::vector<char*> fields;
        for (const auto& field : row) {
            fields.push_back(field ? const_cast<char*>(field->c_str()) : nullptr);
        }
        pg::call([&] {
            ::AttInMetadata* input = ::TupleDescGetAttInMetadata(result_->setDesc);
            ::HeapTuple tuple = ::BuildTupleFromCStrings(input, fields.data());
            ::tuplestore_puttuple(result_->setResult, tuple);
        });
    }

private:
    ::ReturnSetInfo* result_ = nullptr;
};

}  // namespace herd::api
