// The mark: /*herd pack KEY COLLATION;FIELD FIELD ...;START:NODE START:NODE ...*/ where a field is
// a column's number, - for NULL, or x and the hexadecimal digits of a value.
#include "routing/row_packing.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "base/error.hpp"
#include "base/sqlstate.hpp"

namespace herd::routing {

namespace {

constexpr char kMark[] = "/*herd pack ";
constexpr char kDigits[] = "0123456789abcdef";

std::string text_of(const PackedField& field) {
    if (field.column > 0) {
        return std::to_string(field.column);
    }
    if (!field.has_value) {
        return "-";
    }
    std::string text = "x";
    for (char byte : field.value) {
        auto bits = static_cast<unsigned char>(byte);
        text += kDigits[bits >> 4U];
        text += kDigits[bits & 15U];
    }
    return text;
}

class Reader {
public:
    explicit Reader(const char* text) : at_(text) {}

    void expect(char letter) {
        if (!skip(letter)) {
            throw Error(sqlstate::kInternalError, "a pack mark is damaged")
                .detail(std::string("It goes on with: ") + at_);
        }
    }
    bool skip(char letter) {
        bool found = *at_ == letter;
        at_ += found ? 1 : 0;
        return found;
    }
    std::int64_t number() {
        char* end = nullptr;
        std::int64_t value = std::strtoll(at_, &end, 10);
        at_ = end;
        return value;
    }
    std::string bytes() {
        std::string value;
        while (digit(at_[0]) >= 0 && digit(at_[1]) >= 0) {
            value += static_cast<char>(digit(at_[0]) * 16 + digit(at_[1]));
            at_ += 2;
        }
        return value;
    }

private:
    static int digit(char letter) {
        const char* found = letter == '\0' ? nullptr : std::strchr(kDigits, letter);
        return found == nullptr ? -1 : static_cast<int>(found - kDigits);
    }
    const char* at_;
};

PackedField read_field(Reader& reader) {
    PackedField field;
    if (reader.skip('x')) {
        field.has_value = true;
        field.value = reader.bytes();
    } else if (!reader.skip('-')) {
        field.column = static_cast<int>(reader.number());
    }
    return field;
}

}  // namespace

std::size_t RowPacking::range_of(std::int64_t hash) const {
    auto next = std::upper_bound(starts.begin(), starts.end(), hash);
    return static_cast<std::size_t>(next - starts.begin()) - 1;
}

std::string text_of_fields(const std::vector<PackedField>& fields) {
    std::string text;
    for (const PackedField& field : fields) {
        text += (text.empty() ? "" : " ") + text_of(field);
    }
    return text;
}

std::string pack_mark(const std::string& fields, int key, unsigned int key_collation,
                      const ShardMap* map) {
    std::string mark =
        kMark + std::to_string(key) + " " + std::to_string(key_collation) + ";" + fields + ";";
    const Shard* last = nullptr;
    for (std::size_t i = 0; map != nullptr && i < map->size(); ++i) {
        const Shard& shard = map->shards()[i];
        if (last == nullptr || shard.node != last->node) {
            mark += (last == nullptr ? "" : " ") + std::to_string(shard.range.min) + ":" +
                    std::to_string(shard.node.value);
        }
        last = &shard;
    }
    return mark + "*/ ";
}

bool has_pack_mark(const char* text) {
    return text != nullptr && std::strncmp(text, kMark, sizeof(kMark) - 1) == 0;
}

RowPacking read_pack_mark(const char* text) {
    RowPacking packing;
    Reader reader(text + sizeof(kMark) - 1);
    packing.key = static_cast<int>(reader.number());
    reader.expect(' ');
    packing.key_collation = static_cast<unsigned int>(reader.number());
    reader.expect(';');
    do {
        packing.fields.push_back(read_field(reader));
    } while (reader.skip(' '));
    reader.expect(';');
    while (packing.key > 0) {
        packing.starts.push_back(reader.number());
        reader.expect(':');
        packing.owners.emplace_back(static_cast<std::int32_t>(reader.number()));
        if (!reader.skip(' ')) {
            break;
        }
    }
    reader.expect('*');
    return packing;
}

}  // namespace herd::routing
