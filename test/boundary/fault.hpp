// The ways in which C++ code fails below an entry point, and the points that wait for it.
#pragma once

#include <string>

namespace herd::boundary {

// An object whose destructor has to run.
class Tracked {
public:
    Tracked() : ballast_(100, 'x') { ++live_; }
    ~Tracked() { --live_; }
    Tracked(const Tracked&) = delete;
    Tracked& operator=(const Tracked&) = delete;
    static int live() { return live_; }

private:
    static int live_;
    std::string ballast_;
};

// Fails, with objects alive on the stack: runtime_error, herd_error, bad_alloc, unknown (something
// that is no std::exception), postgres_error, or wait, which ends when somebody interrupts it.
void fail(const std::string& point, const std::string& fault);

// From the next statement on, the first visit to the point fails.
void arm(const std::string& point, const std::string& fault);
// Is a point armed whose name begins like this?
bool is_armed(const char* prefix);
// A point that may be armed.
void visit(const char* point);

}  // namespace herd::boundary
