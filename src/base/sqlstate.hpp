// SQLSTATEs as values: PostgreSQL's own that the herd raises, and the herd's class "HR".
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace herd {

// Five characters, packed as PostgreSQL's MAKE_SQLSTATE does: six bits each.
struct SqlState {
    int code = 0;

    constexpr SqlState() = default;
    constexpr explicit SqlState(int packed) : code(packed) {}
    constexpr explicit SqlState(std::string_view text) {
        for (std::size_t i = 0; i < 5 && i < text.size(); ++i) {
            code |= ((text[i] - '0') & 0x3F) << (6 * i);
        }
    }
    [[nodiscard]] std::array<char, 6> text() const {
        std::array<char, 6> out{};
        for (std::size_t i = 0; i < 5; ++i) {
            out[i] = static_cast<char>(((code >> (6 * i)) & 0x3F) + '0');
        }
        return out;
    }
    constexpr bool operator==(SqlState other) const { return code == other.code; }
    constexpr bool operator!=(SqlState other) const { return code != other.code; }
};

namespace sqlstate {
constexpr SqlState kInternalError{"XX000"};
constexpr SqlState kOutOfMemory{"53200"};
constexpr SqlState kTooManyConnections{"53300"};
constexpr SqlState kFeatureNotSupported{"0A000"};
constexpr SqlState kInvalidParameter{"22023"};
constexpr SqlState kObjectNotInState{"55000"};
constexpr SqlState kUndefinedObject{"42704"};
constexpr SqlState kDuplicateObject{"42710"};
constexpr SqlState kWrongObjectType{"42809"};
constexpr SqlState kInvalidTableDefinition{"42P16"};
constexpr SqlState kInsufficientPrivilege{"42501"};
constexpr SqlState kNotNullViolation{"23502"};
constexpr SqlState kConnectionFailure{"08006"};
constexpr SqlState kCannotConnect{"08001"};
constexpr SqlState kTransactionUnknown{"08007"};
constexpr SqlState kQueryCanceled{"57014"};
constexpr SqlState kDeadlockDetected{"40P01"};
constexpr SqlState kSerializationFailure{"40001"};
constexpr SqlState kActiveTransaction{"25001"};
constexpr SqlState kConfigFile{"F0000"};

// The herd's own class; docs/errors.md has a section for each.
// A server can't join: version, settings, encoding ...
constexpr SqlState kNodeNotFit{"HR001"};
// A table can't be distributed as asked.
constexpr SqlState kNotDistributable{"HR002"};
// A statement that the herd can't run yet.
constexpr SqlState kStatementNotCovered{"HR003"};
// A nested statement on a node needs other nodes' rows.
constexpr SqlState kNestedOnNode{"HR004"};
// The distribution key is missing or NULL.
constexpr SqlState kKeyNotFound{"HR005"};
// A node does not answer.
constexpr SqlState kNodeUnavailable{"HR006"};
// DDL that would break distribution.
constexpr SqlState kDdlRefused{"HR007"};
// An internal entry point called by a user.
constexpr SqlState kNotInternal{"HR008"};
// Ranges don't tile, or the like.
constexpr SqlState kMetadataDamaged{"HR009"};
// An UPDATE would change the distribution key.
constexpr SqlState kKeyUpdate{"HR010"};
}  // namespace sqlstate

}  // namespace herd
