// The one exception of the project: a value with everything that PostgreSQL's error report holds.
#pragma once

#include <exception>
#include <string>
#include <utility>

#include "base/sqlstate.hpp"

namespace herd {

class Error : public std::exception {
public:
    Error(SqlState state, std::string message) : state_(state), message_(std::move(message)) {}

    Error& detail(std::string text) {
        detail_ = std::move(text);
        return *this;
    }
    Error& hint(std::string text) {
        hint_ = std::move(text);
        return *this;
    }
    Error& context(std::string text) {
        context_ = std::move(text);
        return *this;
    }
    Error& schema_name(std::string text) {
        schema_ = std::move(text);
        return *this;
    }
    Error& table_name(std::string text) {
        table_ = std::move(text);
        return *this;
    }
    Error& column_name(std::string text) {
        column_ = std::move(text);
        return *this;
    }
    Error& datatype_name(std::string text) {
        datatype_ = std::move(text);
        return *this;
    }
    Error& constraint_name(std::string text) {
        constraint_ = std::move(text);
        return *this;
    }
    // Where in the statement, as a count of characters from 1; 0 for nowhere.
    Error& position(int character) {
        position_ = character;
        return *this;
    }
    // A statement that ran inside the user's, and where in it.
    Error& internal_query(std::string text, int character) {
        internal_query_ = std::move(text);
        internal_position_ = character;
        return *this;
    }
    // The context has the lines of all calls up to the user's statement, so nobody adds them again.
    Error& context_is_complete() {
        context_complete_ = true;
        return *this;
    }

    [[nodiscard]] SqlState state() const { return state_; }
    [[nodiscard]] const std::string& message() const { return message_; }
    [[nodiscard]] const std::string& detail() const { return detail_; }
    [[nodiscard]] const std::string& hint() const { return hint_; }
    [[nodiscard]] const std::string& context() const { return context_; }
    [[nodiscard]] const std::string& schema_name() const { return schema_; }
    [[nodiscard]] const std::string& table_name() const { return table_; }
    [[nodiscard]] const std::string& column_name() const { return column_; }
    [[nodiscard]] const std::string& datatype_name() const { return datatype_; }
    [[nodiscard]] const std::string& constraint_name() const { return constraint_; }
    [[nodiscard]] int position() const { return position_; }
    [[nodiscard]] const std::string& internal_query() const { return internal_query_; }
    [[nodiscard]] int internal_position() const { return internal_position_; }
    [[nodiscard]] bool has_complete_context() const { return context_complete_; }
    [[nodiscard]] const char* what() const noexcept override { return message_.c_str(); }

private:
    SqlState state_;
    std::string message_;
    std::string detail_;
    std::string hint_;
    std::string context_;
    std::string schema_;
    std::string table_;
    std::string column_;
    std::string datatype_;
    std::string constraint_;
    std::string internal_query_;
    int position_ = 0;
    int internal_position_ = 0;
    bool context_complete_ = false;
};

}  // namespace herd
