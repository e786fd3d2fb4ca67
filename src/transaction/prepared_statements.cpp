#include "transaction/prepared_statements.hpp"

#include <iterator>
#include <utility>

#include "pg/counters.hpp"

namespace herd::transaction {

namespace {

bool is_pinned(std::uint64_t plan_id) {
    return plan_id >= PreparedStatements::kFirstPinned;
}

}  // namespace

const std::string* PreparedStatements::use(std::uint64_t plan_id) {
    auto found = by_plan_.find(plan_id);
    if (found == by_plan_.end()) {
        return nullptr;
    }
    if (!is_pinned(plan_id)) {
        entries_.splice(entries_.begin(), entries_, found->second);
    }
    return &found->second->name;
}

const std::string& PreparedStatements::add(std::uint64_t plan_id) {
    Entries& entries = is_pinned(plan_id) ? pinned_ : entries_;
    entries.push_front({plan_id, "herd_" + std::to_string(++names_), false});
    by_plan_[plan_id] = entries.begin();
    pg::gauge(pg::Counter::kPreparedKept, 1);
    return entries.front().name;
}

void PreparedStatements::doubt(std::uint64_t plan_id) {
    auto found = by_plan_.find(plan_id);
    if (!is_pinned(plan_id) && found != by_plan_.end() && !found->second->answered) {
        remove(found->second);
    }
}

void PreparedStatements::note_answer(std::uint64_t plan_id, const std::string& name, bool made) {
    auto found = by_plan_.find(plan_id);
    bool known = found != by_plan_.end() && found->second->name == name;
    if (known && made) {
        found->second->answered = true;
    } else if (known) {
        remove(found->second);
    } else if (made && found == by_plan_.end() && !is_pinned(plan_id)) {
        entries_.push_front({plan_id, name, true});
        by_plan_[plan_id] = entries_.begin();
        pg::gauge(pg::Counter::kPreparedKept, 1);
    } else if (made) {
        surplus_.push_back(name);  // the plan has got another since
    }
}

void PreparedStatements::remove(Entries::iterator entry) {
    by_plan_.erase(entry->plan_id);
    (is_pinned(entry->plan_id) ? pinned_ : entries_).erase(entry);
    pg::gauge(pg::Counter::kPreparedKept, -1);
}

std::vector<std::string> PreparedStatements::take_surplus(std::size_t most) {
    // A DEALLOCATE of what the node has failed to prepare would fail the batch.
    auto entry = entries_.end();
    while (entries_.size() > most && entry != entries_.begin()) {
        --entry;
        if (entry->answered) {
            auto oldest = entry++;
            surplus_.push_back(std::move(oldest->name));
            remove(oldest);
        }
    }
    if (!surplus_.empty()) {
        pg::count(pg::Counter::kPreparedDropped, surplus_.size());
    }
    return std::exchange(surplus_, {});
}

void PreparedStatements::clear() noexcept {
    pg::gauge(pg::Counter::kPreparedKept, -static_cast<std::int64_t>(by_plan_.size()));
    by_plan_.clear();
    entries_.clear();
    pinned_.clear();
    surplus_.clear();
}

}  // namespace herd::transaction
