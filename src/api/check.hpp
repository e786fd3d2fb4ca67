// The health report of the whole herd: one finding per check and node.
#pragma once

#include <string>
#include <vector>

namespace herd::api {

struct Finding {
    std::string check;
    std::string node;
    const char* status = "ok";  // ok, warning, error
    std::string detail;
    std::string hint;
};

class Report {
public:
    void ok(const std::string& check, const std::string& node, const std::string& detail) {
        findings_.push_back({check, node, "ok", detail, ""});
    }
    void warning(const std::string& check, const std::string& node, const std::string& detail,
                 const std::string& hint) {
        findings_.push_back({check, node, "warning", detail, hint});
    }
    void error(const std::string& check, const std::string& node, const std::string& detail,
               const std::string& hint) {
        findings_.push_back({check, node, "error", detail, hint});
    }
    [[nodiscard]] const std::vector<Finding>& findings() const { return findings_; }

private:
    std::vector<Finding> findings_;
};

class PlainSessions;

// Each adds at least one finding for every node that it could ask.
void check_membership(PlainSessions& sessions, Report& report);
void check_settings(PlainSessions& sessions, Report& report);
void check_schema(PlainSessions& sessions, Report& report);
void check_metadata(PlainSessions& sessions, Report& report);
void check_prepared(PlainSessions& sessions, Report& report);
void check_supervisor(Report& report);
void check_ranges(Report& report);
void check_reference_tables(PlainSessions& sessions, Report& report);

}  // namespace herd::api
