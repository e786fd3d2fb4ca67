#include "copy/line_map.hpp"

#include <algorithm>

namespace herd::copy {

namespace {

void append_number(std::string& out, std::uint64_t value) {
    while (value >= 0x80) {
        out += static_cast<char>((value & 0x7F) | 0x80);
        value >>= 7U;
    }
    out += static_cast<char>(value);
}

std::uint64_t read_number(const std::string& in, std::size_t& at) {
    std::uint64_t value = 0;
    for (unsigned shift = 0;; shift += 7) {
        auto byte = static_cast<unsigned char>(in[at++]);
        value |= static_cast<std::uint64_t>(byte & 0x7FU) << shift;
        if ((byte & 0x80U) == 0) {
            return value;
        }
    }
}

}  // namespace

void LineMap::add_long(std::uint64_t own_step, std::uint64_t step) {
    if (chunks_.empty() || chunks_.back().steps.size() >= kChunk) {
        if (chunks_.size() >= kMostChunks) {
            chunks_.pop_front();
        }
        chunks_.push_back({own_, client_, {}});
        chunks_.back().steps.reserve(kChunk + 32);
    }
    std::string& steps = chunks_.back().steps;
    append_number(steps, (step << 1U) | (own_step == 1 ? 0U : 1U));
    if (own_step != 1) {
        append_number(steps, own_step);
    }
}

void LineMap::clear() {
    chunks_.clear();
    own_ = 0;
    client_ = 0;
}

std::optional<std::uint64_t> LineMap::client_line(std::uint64_t own) const {
    const Chunk* chunk = nullptr;
    for (const Chunk& candidate : chunks_) {
        if (candidate.own < own) {
            chunk = &candidate;
        }
    }
    if (chunk == nullptr) {
        return {};
    }
    std::uint64_t own_end = chunk->own;
    std::uint64_t client_end = chunk->client;
    for (std::size_t at = 0; at < chunk->steps.size();) {
        std::uint64_t step = read_number(chunk->steps, at);
        std::uint64_t own_step = (step & 1U) != 0 ? read_number(chunk->steps, at) : 1;
        own_end += own_step;
        std::uint64_t start = client_end;
        client_end += step >> 1U;
        if (own_end >= own) {
            // Inside a record of several lines: as far from its end.
            std::uint64_t back = own_end - own;
            return back < client_end - start ? client_end - back : start + 1;
        }
    }
    return {};
}

namespace {

// Where the line number stands in one line of a context, in whatever language: the first number
// behind COPY's name and the relation's. Returns npos for other lines.
std::size_t number_position(const std::string& line, const std::string& relation) {
    constexpr const char* kCopy = "COPY ";
    constexpr std::size_t kCopySize = 5;
    std::size_t from = kCopySize + relation.size();
    if (line.compare(0, kCopySize, kCopy) != 0 ||
        line.compare(kCopySize, relation.size(), relation) != 0) {
        std::size_t copy = line.find("COPY");  // other languages may put the name first
        if (line.compare(0, relation.size(), relation) != 0 || copy == std::string::npos) {
            return std::string::npos;
        }
        from = copy + kCopySize - 1;
    }
    return line.find_first_of("0123456789", from);
}

}  // namespace

MappedContext map_context(const std::string& context, const std::string& relation,
                          const LineMap& lines) {
    MappedContext mapped;
    std::size_t start = 0;
    while (start < context.size()) {
        std::size_t end = context.find('\n', start);
        end = end == std::string::npos ? context.size() : end + 1;
        std::string line = context.substr(start, end - start);
        std::size_t number = mapped.line ? std::string::npos : number_position(line, relation);
        if (number != std::string::npos) {
            std::size_t stop = line.find_first_not_of("0123456789", number);
            stop = stop == std::string::npos ? line.size() : stop;
            constexpr std::size_t kMostDigits = 19;
            std::string digits = line.substr(number, std::min(stop - number, kMostDigits));
            mapped.line = lines.client_line(std::stoull(digits));
            if (mapped.line) {
                line.replace(number, stop - number, std::to_string(*mapped.line));
            }
        }
        mapped.text += line;
        start = end;
    }
    return mapped;
}

}  // namespace herd::copy
