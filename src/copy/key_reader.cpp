#include "copy/key_reader.hpp"

#include <charconv>
#include <cstring>
#include <limits>

#include "copy/binary_reader.hpp"

extern "C" {
#include "access/transam.h"
#include "lib/stringinfo.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
}

namespace herd::copy {

namespace {

// The key's place among the data's fields; 0 also when it has none.
int field_index(const ::List* columns, int attnum) {
    const ::ListCell* cell;
    int index = 0;
    foreach (cell, columns) {
        if (lfirst_int(cell) == attnum) {
            return index;
        }
        ++index;
    }
    return 0;
}

template <typename Integer>
bool fits(std::int64_t value) {
    return value >= std::numeric_limits<Integer>::min() &&
           value <= std::numeric_limits<Integer>::max();
}

}  // namespace

KeyReader::KeyReader(const CopyPlan& plan, int attnum, const DefaultColumns& defaults)
    : defaults_(defaults),
      field_(field_format(plan, attnum), field_index(plan.columns, attnum)),
      index_(field_index(plan.columns, attnum)),
      binary_(plan.options.binary) {
    choose_input(attnum, plan);
}

void KeyReader::choose_input(int attnum, const CopyPlan& plan) {
    Form_pg_attribute column = TupleDescAttr(RelationGetDescr(plan.relation), attnum - 1);
    column_name_ = NameStr(column->attname);
    modifier_ = column->atttypmod;
    Oid function = InvalidOid;
    pg::call([&] {
        hasher_ = pg::key_hasher(column->atttypid, column->attcollation);
        if (binary_) {
            ::getTypeBinaryInputInfo(column->atttypid, &function, &io_parameter_);
        } else {
            ::getTypeInputInfo(column->atttypid, &function, &io_parameter_);
        }
        ::fmgr_info(function, &input_);
    });
    built_in_ = function < FirstNormalObjectId && ::get_typtype(column->atttypid) == TYPTYPE_BASE;
    switch (function) {
        case F_INT2IN:
        case F_INT2RECV:
            shortcut_ = Shortcut::kInt2;
            break;
        case F_INT4IN:
        case F_INT4RECV:
            shortcut_ = Shortcut::kInt4;
            break;
        case F_INT8IN:
        case F_INT8RECV:
            shortcut_ = Shortcut::kInt8;
            break;
        case F_TEXTIN:
            shortcut_ = Shortcut::kText;
            break;
        case F_VARCHARIN:
            shortcut_ = modifier_ == -1 ? Shortcut::kText : Shortcut::kNone;
            break;
        default:
            break;
    }
}

bool KeyReader::read(std::string_view record) {
    parsing_ = false;
    if (defaults_.has_key()) {
        bool isnull = true;
        Datum value = defaults_.key(&isnull);
        hash_ = pg::hash_key(hasher_, value, isnull);
        return true;
    }
    if (binary_) {
        return read_binary(record);
    }
    switch (field_.read(record)) {
        case Field::kMissing:
            return false;
        case Field::kNull:
            hash_ = pg::kHashOfNull;
            return true;
        default:
            return read_text(field_.value());
    }
}

bool KeyReader::read_text(std::string_view text) {
    Datum value = 0;
    if (shortcut_ == Shortcut::kText) {
        value = text_datum(text);
    } else if (!read_integer(text, &value)) {
        value = parse(text);
    }
    set(value);
    return true;
}

// Plain decimal numbers; anything else is left to the type's own function.
bool KeyReader::read_integer(std::string_view text, Datum* value) const {
    std::int64_t number = 0;
    if (shortcut_ == Shortcut::kNone || shortcut_ == Shortcut::kText) {
        return false;
    }
    const char* end = text.data() + text.size();
    auto [stop, error] = std::from_chars(text.data(), end, number);
    if (error != std::errc() || stop != end) {
        return false;
    }
    switch (shortcut_) {
        case Shortcut::kInt2:
            *value = Int16GetDatum(static_cast<std::int16_t>(number));
            return fits<std::int16_t>(number);
        case Shortcut::kInt4:
            *value = Int32GetDatum(static_cast<std::int32_t>(number));
            return fits<std::int32_t>(number);
        default:
            *value = Int64GetDatum(number);
            return true;
    }
}

// A text value in this object's own memory.
Datum KeyReader::text_datum(std::string_view text) {
    buffer_.resize(VARHDRSZ + text.size());
    SET_VARSIZE(buffer_.data(), VARHDRSZ + text.size());
    std::memcpy(buffer_.data() + VARHDRSZ, text.data(), text.size());
    return PointerGetDatum(buffer_.data());
}

Datum KeyReader::parse(std::string_view text) {
    buffer_.assign(text);
    parsing_ = true;
    Datum value = ::InputFunctionCall(&input_, buffer_.data(), io_parameter_, modifier_);
    parsing_ = false;
    return value;
}

bool KeyReader::read_binary(std::string_view record) {
    BinaryField field = binary_field(record, index_);
    if (!field.found) {
        return false;
    }
    if (field.null) {
        hash_ = pg::kHashOfNull;
        return true;
    }
    Datum value = 0;
    if (!binary_integer(field.value, &value) && !receive(field.value, &value)) {
        return false;
    }
    set(value);
    return true;
}

bool KeyReader::binary_integer(std::string_view bytes, Datum* value) const {
    switch (shortcut_) {
        case Shortcut::kInt2:
            if (bytes.size() == sizeof(std::int16_t)) {
                *value = Int16GetDatum(read_int16(bytes.data()));
                return true;
            }
            return false;
        case Shortcut::kInt4:
            if (bytes.size() == sizeof(std::int32_t)) {
                *value = Int32GetDatum(read_int32(bytes.data()));
                return true;
            }
            return false;
        case Shortcut::kInt8:
            if (bytes.size() == sizeof(std::int64_t)) {
                auto high = static_cast<std::uint64_t>(read_int32(bytes.data()));
                auto low = static_cast<std::uint32_t>(read_int32(bytes.data() + 4));
                *value = Int64GetDatum(static_cast<std::int64_t>(high << 32U | low));
                return true;
            }
            return false;
        default:
            return false;
    }
}

bool KeyReader::receive(std::string_view bytes, Datum* value) {
    buffer_.assign(bytes);
    ::StringInfoData message;
    message.data = buffer_.data();
    message.len = static_cast<int>(buffer_.size());
    message.maxlen = message.len + 1;
    message.cursor = 0;
    parsing_ = true;
    *value = ::ReceiveFunctionCall(&input_, &message, io_parameter_, modifier_);
    parsing_ = false;
    return message.cursor == message.len;
}

bool KeyReader::is_bad_value(const Error& error) const {
    auto state = error.state().text();
    return parsing_ && built_in_ && state[0] == '2' && state[1] == '2';
}

}  // namespace herd::copy
