// A server counts the lines that it was sent; the user counts those of the file. This remembers, in
// about a byte per line, which is which. Plain C++, no server.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>

namespace herd::copy {

class LineMap {
public:
    // The next record ends at line `own` of what the server gets, and at `client` of the file.
    void add(std::uint64_t own, std::uint64_t client) {
        std::uint64_t step = client - client_;
        std::uint64_t own_step = own - own_;
        if (own_step == 1 && step < kShort && !chunks_.empty() &&
            chunks_.back().steps.size() < kChunk) {
            chunks_.back().steps += static_cast<char>(step << 1U);
        } else {
            add_long(own_step, step);
        }
        own_ = own;
        client_ = client;
    }
    void clear();

    // The file's line for one of the server's; empty where it is unknown, or forgotten because the
    // server has been sent more than 16 million lines since.
    [[nodiscard]] std::optional<std::uint64_t> client_line(std::uint64_t own) const;

private:
    static constexpr std::uint64_t kShort = 64;
    static constexpr std::size_t kChunk = 1U << 16;
    static constexpr std::size_t kMostChunks = 256;

    // Steps from record to record: (client step << 1), and | 1 when the own step follows; numbers
    // of seven bits a byte.
    struct Chunk {
        std::uint64_t own = 0;  // where the first step starts
        std::uint64_t client = 0;
        std::string steps;
    };

    void add_long(std::uint64_t own_step, std::uint64_t step);

    std::deque<Chunk> chunks_;
    std::uint64_t own_ = 0;
    std::uint64_t client_ = 0;
};

// An error's context, and where in the file it happened.
struct MappedContext {
    std::string text;
    std::optional<std::uint64_t> line;
};

// Puts the file's line numbers into the context lines that COPY into the relation has left.
MappedContext map_context(const std::string& context, const std::string& relation,
                          const LineMap& lines);

}  // namespace herd::copy
