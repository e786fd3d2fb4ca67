// What one session keeps prepared on one node: the names by which the node knows the texts of
// plans, and which of them go when there are too many.
//
// A name is the node's from the answer to its PREPARE until the answer to its DEALLOCATE. Names are
// never used twice, so that a plan whose PREPARE got lost just gets another.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <string>
#include <unordered_map>
#include <vector>

namespace herd::transaction {

class PreparedStatements {
public:
    // Plans with these numbers are few, and never go. No plan of a statement has them.
    static constexpr std::uint64_t kFirstPinned = std::uint64_t{1} << 63U;

    PreparedStatements() = default;
    ~PreparedStatements() { clear(); }
    PreparedStatements(const PreparedStatements&) = delete;
    PreparedStatements& operator=(const PreparedStatements&) = delete;

    // The plan's name, which is as good as used now; nullptr: it has none. Good until the next call
    // of anything else.
    [[nodiscard]] const std::string* use(std::uint64_t plan_id);
    // A name for a plan that has none.
    [[nodiscard]] const std::string& add(std::uint64_t plan_id);
    // The answer to PREPARE may not be waited for: until it is there, the plan has no name.
    void doubt(std::uint64_t plan_id);
    // That answer.
    void note_answer(std::uint64_t plan_id, const std::string& name, bool made);

    // The names to DEALLOCATE so that no more than `most` are left; they are gone from here.
    [[nodiscard]] std::vector<std::string> take_surplus(std::size_t most);
    // The node has not done it.
    void give_back(const std::string& name) { surplus_.push_back(name); }

    // With the connection all of it goes.
    void clear() noexcept;

private:
    struct Entry {
        std::uint64_t plan_id;
        std::string name;
        bool answered;
    };
    using Entries = std::list<Entry>;

    void remove(Entries::iterator entry);

    Entries entries_;  // the last used first
    std::unordered_map<std::uint64_t, Entries::iterator> by_plan_;
    Entries pinned_;
    std::vector<std::string> surplus_;  // the node has them, and no plan
    std::uint64_t names_ = 0;
};

}  // namespace herd::transaction
