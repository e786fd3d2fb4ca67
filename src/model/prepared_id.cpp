#include "model/prepared_id.hpp"

#include <charconv>

namespace herd {

namespace {

constexpr std::string_view kMark = "herd:";

// Takes the text up to the next colon off, or all of it where there is none.
std::string_view take_part(std::string_view& rest) {
    std::size_t end = rest.find(':');
    std::string_view part = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    return part;
}

template <typename Number>
bool read_number(std::string_view text, Number& number) {
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    return error == std::errc() && end == text.data() + text.size();
}

}  // namespace

std::string PreparedId::text() const {
    return prepared_id_prefix(cluster_id) + std::to_string(term) + ':' +
           std::to_string(node.value) + ':' + std::to_string(xid) + ':' + std::to_string(run);
}

std::string prepared_id_prefix(const std::string& cluster_id) {
    return std::string(kMark) + cluster_id + ':';
}

std::optional<PreparedId> parse_prepared_id(std::string_view text) {
    std::string_view rest = text;
    if (rest.substr(0, kMark.size()) != kMark) {
        return {};
    }
    rest.remove_prefix(kMark.size());
    PreparedId id;
    id.cluster_id = take_part(rest);
    bool good = read_number(take_part(rest), id.term);
    good = read_number(take_part(rest), id.node.value) && good;
    good = read_number(take_part(rest), id.xid) && good;
    good = read_number(take_part(rest), id.run) && good;
    // Whatever has another form of the same numbers is not ours.
    if (!good || id.text() != text) {
        return {};
    }
    return id;
}

}  // namespace herd
