// A statement that may be sent once more: owns what its sender only lent to the link.
#pragma once

#include <string>
#include <vector>

#include "remote/connection.hpp"
#include "transaction/settings.hpp"

namespace herd::transaction {

struct Statement;

class KeptStatement {
public:
    // state: the role and settings that it runs with, which are others when it is sent again. Keeps
    // nothing where that would cost too much.
    void keep(const Statement& statement, const SessionState& state);
    void forget() noexcept { kept_ = false; }
    [[nodiscard]] bool is_kept() const { return kept_; }
    // Good as long as this and the text live, which its sender keeps.
    [[nodiscard]] Statement statement(const char* text) const;
    [[nodiscard]] const SessionState& state() const { return state_; }

private:
    SessionState state_;
    std::string bytes_;
    std::vector<::Oid> types_;
    std::vector<const char*> values_;
    std::vector<int> lengths_;
    std::vector<int> formats_;
    std::uint64_t plan_id_ = 0;
    bool binary_ = false;
    bool few_rows_ = false;
    bool kept_ = false;
};

}  // namespace herd::transaction
