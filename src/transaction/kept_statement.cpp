// Sending a read once more when its connection turns out to be dead.
#include "transaction/kept_statement.hpp"

#include <cstring>

#include "pg/counters.hpp"
#include "transaction/link.hpp"

namespace herd::transaction {

namespace {

// Bytes of parameters above which a copy of them is not worth it.
constexpr std::size_t kMostBytes = 256U << 10;

std::size_t size_of(const remote::Parameters& parameters, int i) {
    bool binary = parameters.formats != nullptr && parameters.formats[i] != 0;
    return binary ? static_cast<std::size_t>(parameters.lengths[i])
                  : std::strlen(parameters.values[i]) + 1;
}

}  // namespace

void KeptStatement::keep(const Statement& statement, const SessionState& state) {
    const remote::Parameters& given = statement.parameters;
    kept_ = false;
    std::size_t bytes = 0;
    for (int i = 0; i < given.count; ++i) {
        bytes += given.values[i] == nullptr ? 0 : size_of(given, i);
    }
    if (bytes > kMostBytes) {
        return;
    }
    state_ = state;
    plan_id_ = statement.plan_id;
    binary_ = statement.binary;
    few_rows_ = statement.few_rows;
    bytes_.clear();
    bytes_.reserve(bytes);  // so that the values stay where they are
    values_.clear();
    lengths_.clear();
    formats_.clear();
    types_.clear();
    for (int i = 0; i < given.count; ++i) {
        types_.push_back(given.types == nullptr ? InvalidOid : given.types[i]);
        lengths_.push_back(given.lengths == nullptr ? 0 : given.lengths[i]);
        formats_.push_back(given.formats == nullptr ? 0 : given.formats[i]);
        values_.push_back(given.values[i] == nullptr ? nullptr : bytes_.data() + bytes_.size());
        if (given.values[i] != nullptr) {
            bytes_.append(given.values[i], size_of(given, i));
        }
    }
    kept_ = true;
}

Statement KeptStatement::statement(const char* text) const {
    Statement statement;
    statement.text = text;
    statement.plan_id = plan_id_;
    statement.binary = binary_;
    statement.few_rows = few_rows_;
    statement.lone = true;
    statement.parameters = {static_cast<int>(values_.size()), types_.data(), values_.data(),
                            lengths_.data(), formats_.data()};
    return statement;
}

// Over a new connection, with the role and the settings that it had. Whatever goes wrong now, the
// loss of the first connection is what the client hears of, unless it was canceled.
void Link::send_again(const Error& lost) {
    Stream* stream = stream_;
    Statement statement = kept_.statement(statement_text_.c_str());
    kept_.forget();
    try {
        start_connecting();
        finish_connecting();
        queue_state(kept_.state(), 0);
        queue_statement(statement);
        stream_ = stream;
        queue_sync();
    } catch (const Error& error) {
        close();
        throw Error(error.state() == sqlstate::kQueryCanceled ? error : lost);
    } catch (...) {
        close();
        throw;
    }
    pg::count(pg::Counter::kRetried);
}

}  // namespace herd::transaction
