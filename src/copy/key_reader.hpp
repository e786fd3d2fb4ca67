// Finds the hash of each record's distribution key.
#pragma once

#include <string>
#include <string_view>

#include "copy/copy_plan.hpp"
#include "copy/default_columns.hpp"
#include "pg/key_hash.hpp"

namespace herd::copy {

class KeyReader {
public:
    // attnum: the key's number in the relation; defaults tells it where the data has no key.
    KeyReader(const CopyPlan& plan, int attnum, const DefaultColumns& defaults);

    // False when the record has no such field, or its value is not one of the key's type: then
    // PostgreSQL has an error for it. PostgreSQL style; what it allocates is the caller's to reset.
    bool read(std::string_view record);
    [[nodiscard]] std::int64_t hash() const { return hash_; }

    // For an error that read() has raised: whether the value itself is bad, so that PostgreSQL's
    // own COPY raises it again.
    [[nodiscard]] bool is_bad_value(const Error& error) const;
    [[nodiscard]] const char* column_name() const { return column_name_; }
    void forget_value() { parsing_ = false; }
    // The text that is being turned into a value, or null.
    [[nodiscard]] const char* value_in_parsing() const {
        return parsing_ && !binary_ ? buffer_.c_str() : nullptr;
    }

private:
    enum class Shortcut { kNone, kInt2, kInt4, kInt8, kText };
    void choose_input(int attnum, const CopyPlan& plan);
    bool read_text(std::string_view text);
    bool read_binary(std::string_view record);
    bool read_integer(std::string_view text, Datum* value) const;
    bool binary_integer(std::string_view bytes, Datum* value) const;
    Datum text_datum(std::string_view text);
    Datum parse(std::string_view text);
    bool receive(std::string_view bytes, Datum* value);
    void set(Datum value) { hash_ = pg::hash_key(hasher_, value, false); }

    const DefaultColumns& defaults_;
    FieldReader field_;
    pg::KeyHasher hasher_;
    ::FmgrInfo input_{};
    Oid io_parameter_ = InvalidOid;
    std::int32_t modifier_ = -1;
    const char* column_name_ = "";
    Shortcut shortcut_ = Shortcut::kNone;
    int index_ = 0;
    bool binary_ = false;
    bool built_in_ = false;
    bool parsing_ = false;
    std::int64_t hash_ = 0;
    std::string buffer_;
};

}  // namespace herd::copy
