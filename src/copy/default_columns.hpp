// Columns that the data does not have and whose defaults must be evaluated once, here: sequences,
// now(), random() and the like. Each record gets their values in front.
#pragma once

#include <string>
#include <vector>

#include "copy/copy_plan.hpp"

extern "C" {
#include "nodes/execnodes.h"
}

namespace herd::copy {

// The settings that dates, intervals and floats are printed with. Values for nodes are printed so
// that they mean the same whatever the user has set; this puts the user's settings back, also when
// an error has come in between.
class OutputSettings {
public:
    OutputSettings();
    ~OutputSettings() { restore(); }
    OutputSettings(const OutputSettings&) = delete;
    OutputSettings& operator=(const OutputSettings&) = delete;
    void use_exact() const;
    void restore() const;

private:
    int date_style_;
    int interval_style_;
    int float_digits_;
};

class DefaultColumns {
public:
    // key: the distribution key's number, or 0.
    void prepare(const CopyPlan& plan, int key);

    // All columns of a record that is sent on: these, then the data's own. PostgreSQL style.
    [[nodiscard]] ::List* all_columns(const CopyPlan& plan) const;
    [[nodiscard]] bool any_sent() const { return sent_ > 0; }
    [[nodiscard]] int sent() const { return sent_; }
    // Whether the key is not in the data; then key() is its default.
    [[nodiscard]] bool has_key() const { return has_key_; }
    [[nodiscard]] Datum key(bool* isnull) const;

    // For each record; PostgreSQL style, in this order.
    void evaluate();
    void append_text(std::string& prefix, const FieldFormat& format,
                     const OutputSettings& settings);
    void append_binary(std::string& prefix);

private:
    struct Column {
        int attnum = 0;
        bool sent = false;  // or the node finds the same value by itself
        ::ExprState* expression = nullptr;
        ::FmgrInfo output{};
        Datum value = 0;
        bool isnull = true;
    };
    void add(const CopyPlan& plan, int attnum, ::Node* expression, bool sent);

    std::vector<Column> columns_;
    ::ExprContext* context_ = nullptr;
    int sent_ = 0;
    bool has_key_ = false;
    int key_column_ = -1;  // in columns_; -1: no default, NULL
};

}  // namespace herd::copy
